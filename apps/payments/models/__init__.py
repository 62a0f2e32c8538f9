"""What the engine keeps: transactions and their legs, refunds, and the rules of collects."""

from apps.payments.models.collect import BlockedRequester, FlowRule
from apps.payments.models.payment import (
    Contradiction,
    FileVerdict,
    Leg,
    LegHistory,
    LegKey,
    LegRequest,
    StatusCheck,
    Transaction,
)
from apps.payments.models.refund import Refund, RefundBound
from apps.payments.models.spam import RequesterBlock, SpamReport, SpamRule

__all__ = [
    "BlockedRequester",
    "Contradiction",
    "FileVerdict",
    "FlowRule",
    "Leg",
    "LegHistory",
    "LegKey",
    "LegRequest",
    "Refund",
    "RefundBound",
    "RequesterBlock",
    "SpamReport",
    "SpamRule",
    "StatusCheck",
    "Transaction",
]
