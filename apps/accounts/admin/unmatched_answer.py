"""Answers of the core-banking host that were not applied, and the page that closes one."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from apps.accounts.models import UnmatchedAnswer
from apps.accounts.services import unmatched_answers
from apps.common import clock
from apps.common.admin import ReadOnlyAdmin
from apps.common.money import Money
from apps.operators.change_pages import may, serve
from apps.operators.contracts import Author
from apps.operators.turn_pages import TurnPage

_OPEN, _CLOSED = "open", "closed"


class CloseAnswer(TurnPage):
    """Somebody has found out what it means."""

    title = "Close the answer"
    submit = "Close it"
    source, target = _OPEN, _CLOSED
    effect = "It leaves the list of open items. No money moves, and no payment changes."

    def state(self, row: UnmatchedAnswer) -> str:
        """Say whether somebody still has to look at it."""
        return _OPEN if row.closed_at is None else _CLOSED

    def name(self, row: UnmatchedAnswer) -> str:
        """Name the answer as the host's records do."""
        return f"{row.reason} {row.mti} {row.terminal} {row.stan}".strip()

    def turn(self, row: UnmatchedAnswer, *, author: Author) -> None:
        """Close it."""
        unmatched_answers.close(row.pk, author=author, now=clock.now())


class OpenFilter(admin.SimpleListFilter):
    """Those that wait for somebody, or those that are closed."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the two states."""
        del request, model_admin
        return [(_OPEN, _OPEN), (_CLOSED, _CLOSED)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Return the rows of the state that was chosen."""
        del request
        if self.value() not in {_OPEN, _CLOSED}:
            return queryset
        return queryset.filter(closed_at__isnull=self.value() == _OPEN)


@admin.register(UnmatchedAnswer)
class UnmatchedAnswerAdmin(ReadOnlyAdmin):
    """What the host said that fits no call of ours, and why it was left alone."""

    list_display: ClassVar = [
        "received_at",
        "reason",
        "mti",
        "terminal",
        "stan",
        "amount_shown",
        "response_code",
        "state",
    ]
    list_filter: ClassVar = [OpenFilter, "reason"]
    search_fields: ClassVar = ["=rrn", "=stan"]
    fields: ClassVar = [
        "state",
        "received_at",
        "reason",
        "call",
        "mti",
        "terminal",
        "stan",
        "transmitted",
        "rrn",
        "processing_code",
        "amount_shown",
        "response_code",
        "closed_at",
        "closed_by",
        "closing_reason",
    ]
    readonly_fields: ClassVar = fields
    actions_detail: ClassVar = ["close"]
    has_close_permission = may("accounts.change_unmatchedanswer")

    @admin.display(description="state")
    def state(self, answer: UnmatchedAnswer) -> str:
        """Say whether it waits for somebody."""
        return _OPEN if answer.closed_at is None else _CLOSED

    @admin.display(description="amount")
    def amount_shown(self, answer: UnmatchedAnswer) -> str:
        """Show rupees, unless the host sent something else than paise."""
        paise = answer.amount
        is_number = paise.isascii() and paise.isdigit()
        return Money(int(paise)).display() if is_number else paise or "–"

    @action(description="Close", url_path="close", permissions=["close"])  # type: ignore[untyped-decorator]
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take it off the list."""
        return serve(self, request, CloseAnswer(), object_id=object_id)
