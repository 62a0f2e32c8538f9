"""The page of a payment address, and those that close it and open it again."""

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from apps.common.admin import ReadOnlyAdmin
from apps.common.masking import mask_account, mask_vpa
from apps.operators.change_pages import may, serve
from apps.operators.contracts import Author
from apps.operators.turn_pages import TurnPage
from apps.vpa.contracts import ClosedBy
from apps.vpa.models import Vpa
from apps.vpa.services import closing

_PERMISSIONS = ["turn"]
_OPEN, _CLOSED = "open", "closed by the bank"


class _AddressPage(TurnPage):
    """What closing and opening share."""

    def state(self, row: Vpa) -> str:
        """Say whether it takes payments."""
        if row.state != Vpa.State.ACTIVE:
            return "given up"
        closed = {ClosedBy.PSP.value: _CLOSED, ClosedBy.OWNER.value: "closed by its owner"}
        return closed.get(row.closed_by, _OPEN)

    def name(self, row: Vpa) -> str:
        """Name the address, masked."""
        return mask_vpa(row.address)


class CloseAddress(_AddressPage):
    """The address takes no payments."""

    title = "Close the address"
    submit = "Close it"
    source, target = _OPEN, _CLOSED
    effect = "Whoever wants to pay to it is refused with ZE."

    def turn(self, row: Vpa, *, author: Author) -> None:
        """Close it."""
        closing.close_address(row.pk, author=author)


class ReopenAddress(_AddressPage):
    """The address takes payments again."""

    title = "Open the address again"
    submit = "Open it"
    source, target = _CLOSED, _OPEN
    effect = "It can be paid to again."

    def turn(self, row: Vpa, *, author: Author) -> None:
        """Open it."""
        closing.reopen_address(row.pk, author=author)


@admin.register(Vpa)
class VpaAdmin(ReadOnlyAdmin):
    """Addresses, and what is behind them."""

    list_display: ClassVar = [
        "address",
        "kind",
        "verified_name",
        "masked_account",
        "mcc",
        "state",
        "closed_by",
    ]
    list_filter: ClassVar = ["kind", "state", "closed_by"]
    search_fields: ClassVar = ["=address", "verified_name"]
    exclude: ClassVar = ["account_number"]
    readonly_fields: ClassVar = ["masked_account"]
    actions_detail: ClassVar = ["close", "reopen"]
    has_turn_permission = may("vpa.change_vpa")

    @admin.display(description="account")
    def masked_account(self, vpa: Vpa) -> str:
        """Show the last four digits."""
        return mask_account(vpa.account_number)

    @action(description="Close", url_path="close", permissions=_PERMISSIONS)  # type: ignore[untyped-decorator]
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let it take no payments."""
        return serve(self, request, CloseAddress(), object_id=object_id)

    @action(description="Open again", url_path="reopen", permissions=_PERMISSIONS)  # type: ignore[untyped-decorator]
    def reopen(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let it take payments."""
        return serve(self, request, ReopenAddress(), object_id=object_id)
