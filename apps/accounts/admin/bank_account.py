"""Bank accounts as a page."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from apps.accounts.admin.account_restriction import RestrictAccount
from apps.accounts.core_banking.base import core_banking
from apps.accounts.models import BankAccount
from apps.common.admin import ReadOnlyAdmin
from apps.common.masking import mask_account, mask_mobile
from apps.operators.change_pages import may, serve

# Its balances are its own, and to ask for each of a list would ask it a hundred times.
_AT_THE_HOST = "kept by the core-banking host"


@admin.register(BankAccount)
class BankAccountAdmin(ReadOnlyAdmin):
    """Who holds an account and what is in it; numbers are masked, the card is not shown."""

    list_display: ClassVar = [
        "masked_number",
        "holder_name",
        "account_type",
        "state",
        "balance",
        "has_pin",
    ]
    list_filter: ClassVar = ["state", "account_type"]
    search_fields: ClassVar = ["=number", "holder_name", "=mobile"]
    fields: ClassVar = [
        "masked_number",
        "ifsc",
        "account_type",
        "holder_name",
        "masked_mobile",
        "state",
        "balance",
        "available",
        "has_pin",
        "ledger_account",
        "opened_at",
    ]
    readonly_fields: ClassVar = fields
    actions_detail: ClassVar = ["restrict"]
    has_restrict_permission = may("accounts.add_accountrestriction")

    @action(  # type: ignore[untyped-decorator]
        description="Restrict", url_path="restrict", permissions=["restrict"]
    )
    def restrict(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Begin a restriction of the account."""
        return serve(self, request, RestrictAccount(), object_id=object_id)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the accounts with their books and PINs, in one query."""
        return super().get_queryset(request).select_related("ledger_account", "pin_state")

    @admin.display(description="account")
    def masked_number(self, account: BankAccount) -> str:
        """Show the last four digits."""
        return mask_account(account.number)

    @admin.display(description="mobile")
    def masked_mobile(self, account: BankAccount) -> str:
        """Show the last four digits."""
        return mask_mobile(account.mobile)

    @admin.display(description="balance")
    def balance(self, account: BankAccount) -> str:
        """Show what the books say, if it is in our books that the money is."""
        if not core_banking().posts_at_once:
            return _AT_THE_HOST
        return account.ledger_account.balance.display()

    @admin.display(description="available")
    def available(self, account: BankAccount) -> str:
        """Show what the holder may spend, if we are who knows it."""
        if not core_banking().posts_at_once:
            return _AT_THE_HOST
        return account.ledger_account.available.display()

    @admin.display(description="PIN set", boolean=True)
    def has_pin(self, account: BankAccount) -> bool:
        """Tell whether a PIN was ever set."""
        return account.pin_state.verifier is not None
