"""The back office's pages of the wire: to look at, never to edit."""

from apps.upi.admin.api_cap import ApiCapAdmin, PeakHoursAdmin
from apps.upi.admin.directory import (
    AccountProviderAdmin,
    DirectoryPullAdmin,
    PspAdmin,
    VerifiedMerchantAdmin,
)
from apps.upi.admin.exchange import ExchangeAdmin
from apps.upi.admin.message_log import MessageLogAdmin
from apps.upi.admin.organisation import OrganisationAdmin
from apps.upi.admin.peer_key import PeerKeyAdmin
from apps.upi.admin.timer import TimerRuleAdmin

__all__ = [
    "AccountProviderAdmin",
    "ApiCapAdmin",
    "DirectoryPullAdmin",
    "ExchangeAdmin",
    "MessageLogAdmin",
    "OrganisationAdmin",
    "PeakHoursAdmin",
    "PeerKeyAdmin",
    "PspAdmin",
    "TimerRuleAdmin",
    "VerifiedMerchantAdmin",
]
