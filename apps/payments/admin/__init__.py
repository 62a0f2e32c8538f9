"""The back office's pages of payments: none of them edits a row."""

from apps.payments.admin.contradiction import ContradictionAdmin
from apps.payments.admin.flow_rule import FlowRuleAdmin
from apps.payments.admin.refund import RefundAdmin
from apps.payments.admin.spam import RequesterBlockAdmin, SpamRuleAdmin
from apps.payments.admin.transaction import TransactionAdmin

__all__ = [
    "ContradictionAdmin",
    "FlowRuleAdmin",
    "RefundAdmin",
    "RequesterBlockAdmin",
    "SpamRuleAdmin",
    "TransactionAdmin",
]
