"""The pages about the books."""

from apps.ledger.admin.ledger_account import LedgerAccountAdmin
from apps.ledger.admin.transfer import TransferAdmin

__all__ = ["LedgerAccountAdmin", "TransferAdmin"]
