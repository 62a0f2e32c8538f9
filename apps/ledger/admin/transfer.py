"""Transfers as a page."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.common.masking import mask_text
from apps.common.money import Money
from apps.ledger.models import Transfer


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    """What moved, from where to where, and both balances after it."""

    list_display: ClassVar = [
        "posted_at",
        "kind",
        "debit_account_id",
        "credit_account_id",
        "amount_display",
        "purpose",
        "masked_key",
    ]
    list_filter: ClassVar = ["kind", "purpose"]
    search_fields: ClassVar = ["=id", "=debit_account_id", "=credit_account_id"]
    fields: ClassVar = [
        "id",
        "masked_key",
        "kind",
        "purpose",
        "pending_key",
        "posted_at",
        "debit_account_id",
        "credit_account_id",
        "amount_display",
        "debit_balance_after",
        "credit_balance_after",
    ]
    readonly_fields: ClassVar = fields

    @admin.display(description="key")
    def masked_key(self, transfer: Transfer) -> str:
        """Show the key; whoever made it may have put a number into it."""
        return mask_text(transfer.key)

    @admin.display(description="amount")
    def amount_display(self, transfer: Transfer) -> str:
        """Show what moved."""
        return transfer.amount.display()

    @admin.display(description="debited account after it")
    def debit_balance_after(self, transfer: Transfer) -> str:
        """Show the balance of the debited account after it."""
        return Money(transfer.debit_balance_after_paise).display()

    @admin.display(description="credited account after it")
    def credit_balance_after(self, transfer: Transfer) -> str:
        """Show the balance of the credited account after it."""
        return Money(transfer.credit_balance_after_paise).display()
