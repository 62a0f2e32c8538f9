"""The back office's pages of payments: to look at, never to edit."""

from apps.payments.admin.contradiction import ContradictionAdmin
from apps.payments.admin.refund import RefundAdmin
from apps.payments.admin.transaction import TransactionAdmin

__all__ = ["ContradictionAdmin", "RefundAdmin", "TransactionAdmin"]
