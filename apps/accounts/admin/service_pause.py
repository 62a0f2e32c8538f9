"""Pauses of the bank's service as a page, and the pages that begin and end one."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from apps.accounts import checking
from apps.accounts.models import ServicePause
from apps.accounts.services import restrictions
from apps.accounts.states import Pause, Side
from apps.common import clock
from apps.common.admin import ReadOnlyAdmin
from apps.operators.change_pages import ChoiceField, Preview, may, serve
from apps.operators.contracts import Author, Span
from apps.operators.span_pages import BeginForm, BeginPage, EndPage

_WHAT = {Side.REMITTER: "Every debit", Side.BENEFICIARY: "Every credit"}


class PauseForm(BeginForm):
    """Which side stops, and why."""

    side = ChoiceField(
        choices=[
            (Side.REMITTER.value, "REMITTER: debits"),
            (Side.BENEFICIARY.value, "BENEFICIARY: credits"),
        ]
    )
    kind = ChoiceField(choices=[(kind.value, kind.value) for kind in Pause])


class PauseService(BeginPage):
    """The bank works no debits, or no credits."""

    title = "Pause the service"
    submit = "Pause it"
    form = PauseForm
    model = ServicePause

    def key(self, row: Any, data: dict[str, Any]) -> dict[str, Any]:
        """Return side and kind."""
        del row
        return {"side": data["side"], "kind": data["kind"]}

    def name(self, row: Any, data: dict[str, Any]) -> str:
        """Name the pause."""
        del row
        return f"{data['side']} {data['kind']}"

    def preview(self, row: Any, data: dict[str, Any]) -> Preview:
        """Refuse what the side does not have, before anything is shown."""
        restrictions.check_pause(Side(data["side"]), Pause(data["kind"]))
        return super().preview(row, data)

    def effect(self, row: Any, data: dict[str, Any]) -> str:
        """Say which code payments get."""
        del row
        side, kind = Side(data["side"]), Pause(data["kind"])
        to_merchants = " to a merchant of ours" if kind is Pause.MERCHANTS else ""
        code = checking.pause_code(side, kind)
        return f"{_WHAT[side]}{to_merchants} is declined with {code} while it lasts."

    def begin(self, row: Any, data: dict[str, Any], *, author: Author) -> None:
        """Pause the service."""
        del row
        restrictions.pause_service(
            Side(data["side"]),
            Pause(data["kind"]),
            span=Span(data["begins_at"], data["ends_at"]),
            author=author,
            now=clock.now(),
        )


class EndPause(EndPage):
    """A pause comes to its end."""

    title = "End the pause"

    def name(self, row: ServicePause) -> str:
        """Name the pause."""
        return f"{row.side} {row.kind}"

    def end(self, row: ServicePause, data: dict[str, Any], *, author: Author) -> None:
        """End it."""
        restrictions.end_pause(row, at=data["ends_at"], author=author, now=clock.now())


@admin.register(ServicePause)
class ServicePauseAdmin(ReadOnlyAdmin):
    """When the bank works no debits or no credits, and why."""

    list_display: ClassVar = ["side", "kind", "valid_from_at", "valid_until_at", "source"]
    list_filter: ClassVar = ["side", "kind"]
    fields: ClassVar = list_display
    readonly_fields: ClassVar = list_display
    actions_list: ClassVar = ["pause_service"]
    actions_detail: ClassVar = ["end_pause"]
    has_end_permission = may("accounts.change_servicepause")
    has_pause_permission = may("accounts.add_servicepause")

    @action(  # type: ignore[untyped-decorator]
        description="Pause the service", url_path="pause", permissions=["pause"]
    )
    def pause_service(self, request: HttpRequest) -> HttpResponse:
        """Begin a pause."""
        return serve(self, request, PauseService())

    @action(  # type: ignore[untyped-decorator]
        description="End it", url_path="end", permissions=["end"]
    )
    def end_pause(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End the pause."""
        return serve(self, request, EndPause(), object_id=object_id)
