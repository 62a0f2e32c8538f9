"""Accounts of the books as a page."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.common.money import Money
from apps.ledger.models import LedgerAccount


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ReadOnlyAdmin):
    """What each account comes to, and what bounds it."""

    list_display: ClassVar = ["title", "name", "balance_display", "set_aside", "available_display"]
    search_fields: ClassVar = ["=code", "=id"]
    fields: ClassVar = [
        "title",
        "name",
        "balance_display",
        "set_aside",
        "available_display",
        "debits_posted",
        "credits_posted",
        "debits_must_not_exceed_credits",
        "credits_must_not_exceed_debits",
        "opened_at",
    ]
    readonly_fields: ClassVar = fields

    @admin.display(description="account")
    def title(self, account: LedgerAccount) -> str:
        """Name the account by its code, or by its number in the books."""
        return str(account)

    @admin.display(description="balance")
    def balance_display(self, account: LedgerAccount) -> str:
        """Show credits less debits."""
        return account.balance.display()

    @admin.display(description="set aside")
    def set_aside(self, account: LedgerAccount) -> str:
        """Show what pending transfers hold back."""
        return Money(account.debits_pending_paise).display()

    @admin.display(description="available")
    def available_display(self, account: LedgerAccount) -> str:
        """Show the balance less what is set aside."""
        return account.available.display()

    @admin.display(description="debits posted")
    def debits_posted(self, account: LedgerAccount) -> str:
        """Show all that ever went out."""
        return Money(account.debits_posted_paise).display()

    @admin.display(description="credits posted")
    def credits_posted(self, account: LedgerAccount) -> str:
        """Show all that ever came in."""
        return Money(account.credits_posted_paise).display()
