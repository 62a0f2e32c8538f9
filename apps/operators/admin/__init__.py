"""The pages about staff and what they did."""

from apps.operators.admin.audit_entry import AuditEntryAdmin
from apps.operators.admin.operator import OperatorAdmin
from apps.operators.admin.proposal import ProposalAdmin

__all__ = ["AuditEntryAdmin", "OperatorAdmin", "ProposalAdmin"]
