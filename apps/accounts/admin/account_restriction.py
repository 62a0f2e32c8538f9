"""Restrictions of accounts as a page, and the pages that begin and end one."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from apps.accounts.models import AccountRestriction, BankAccount
from apps.accounts.services import restrictions
from apps.accounts.states import Restriction
from apps.common import clock
from apps.common.admin import ReadOnlyAdmin
from apps.common.masking import mask_account
from apps.operators.change_pages import ChoiceField, may, serve
from apps.operators.contracts import Author, Span
from apps.operators.span_pages import BeginForm, BeginPage, EndPage

_EFFECTS = {
    Restriction.NO_DEBIT: "Debits of the account are declined with B3.",
    Restriction.NO_CREDIT: "Credits to the account are declined with B3.",
    Restriction.COMPLIANCE: "Debits are declined with CI, credits with XW.",
    Restriction.SUSPECTED_FRAUD: "Debits are declined with K1, credits with ZI.",
}


class RestrictForm(BeginForm):
    """What may not be done."""

    kind = ChoiceField(choices=[(kind.value, kind.value) for kind in Restriction])


class RestrictAccount(BeginPage):
    """An account may do less from now on."""

    title = "Restrict the account"
    submit = "Restrict it"
    form = RestrictForm
    model = AccountRestriction

    def key(self, row: BankAccount, data: dict[str, Any]) -> dict[str, Any]:
        """Return account and kind."""
        return {"account": row, "kind": data["kind"]}

    def name(self, row: BankAccount, data: dict[str, Any]) -> str:
        """Name the restriction, the account masked."""
        return f"{data['kind']} of {mask_account(row.number)}"

    def effect(self, row: BankAccount, data: dict[str, Any]) -> str:
        """Say which code payments get."""
        del row
        return _EFFECTS[Restriction(data["kind"])]

    def begin(self, row: BankAccount, data: dict[str, Any], *, author: Author) -> None:
        """Restrict the account."""
        restrictions.restrict_account(
            row,
            Restriction(data["kind"]),
            span=Span(data["begins_at"], data["ends_at"]),
            author=author,
            now=clock.now(),
        )


class EndRestriction(EndPage):
    """A restriction comes to its end."""

    title = "End the restriction"

    def name(self, row: AccountRestriction) -> str:
        """Name the restriction, the account masked."""
        return f"{row.kind} of {mask_account(row.account.number)}"

    def end(self, row: AccountRestriction, data: dict[str, Any], *, author: Author) -> None:
        """End it."""
        restrictions.end_restriction(row, at=data["ends_at"], author=author, now=clock.now())


@admin.register(AccountRestriction)
class AccountRestrictionAdmin(ReadOnlyAdmin):
    """
    What may not be done with which account, from when until when, and by whose word.

    One begins on the account's own page.
    """

    list_display: ClassVar = ["account", "kind", "valid_from_at", "valid_until_at", "source"]
    list_filter: ClassVar = ["kind"]
    search_fields: ClassVar = ["=account__number"]
    search_help_text = "account number, exactly"
    fields: ClassVar = list_display
    readonly_fields: ClassVar = list_display
    actions_detail: ClassVar = ["end_restriction"]
    has_end_permission = may("accounts.change_accountrestriction")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the rows with their accounts, in one query."""
        return super().get_queryset(request).select_related("account")

    @action(  # type: ignore[untyped-decorator]
        description="End it", url_path="end", permissions=["end"]
    )
    def end_restriction(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End the restriction."""
        return serve(self, request, EndRestriction(), object_id=object_id)
