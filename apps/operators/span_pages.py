"""Pages that begin and end what holds from one instant until another."""

import datetime as dt
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models

from apps.common import clock
from apps.common.clock import IST
from apps.operators.change_pages import ChangeForm, ChangePage, InstantField, Line, Preview
from apps.operators.contracts import Author, Span
from apps.operators.services import dated_spans

_NOW = "now"
_OPEN = "until further notice"


class BeginForm(ChangeForm):
    """From when, until when."""

    begins_at = InstantField(label="From (IST)", required=False, help_text="Empty: at once.")
    ends_at = InstantField(
        label="Until (IST)", required=False, help_text="Empty: until somebody ends it."
    )


class EndForm(ChangeForm):
    """Until when."""

    ends_at = InstantField(label="Until (IST)", required=False, help_text="Empty: it ends at once.")


class BeginPage(ChangePage):
    """Something begins to hold; `row` is what it is about, if it is about a row."""

    form = BeginForm
    model: ClassVar[type[models.Model]]

    @abstractmethod
    def key(self, row: Any, data: dict[str, Any]) -> Mapping[str, Any]:
        """Return what holds."""

    @abstractmethod
    def name(self, row: Any, data: dict[str, Any]) -> str:
        """Say what holds, for people."""

    @abstractmethod
    def effect(self, row: Any, data: dict[str, Any]) -> str:
        """Say in a sentence what then happens to payments."""

    @abstractmethod
    def begin(self, row: Any, data: dict[str, Any], *, author: Author) -> None:
        """Call the service."""

    def preview(self, row: Any, data: dict[str, Any]) -> Preview:
        """Show what holds already, and what begins."""
        now = clock.now()
        rows = dated_spans.open_rows(self.model, self.key(row, data), now=now)
        dated_spans.check_span(Span(data["begins_at"], data["ends_at"]), now=now)
        lines = [Line(self.name(row, data), _span(held), "goes on as it is") for held in rows]
        begins = _shown(data["begins_at"]) or _NOW
        ends = f"until {_shown(data['ends_at'])}" if data["ends_at"] else _OPEN
        lines.append(Line(self.name(row, data), "–", f"from {begins} {ends}"))
        return Preview(lines, self.effect(row, data), dated_spans.fingerprint(rows))

    def carry_out(self, row: Any, data: dict[str, Any], *, author: Author) -> str:
        """Begin it."""
        self.begin(row, data, author=author)
        return f"{self.name(row, data)} from {_shown(data['begins_at']) or _NOW} on."


class EndPage(ChangePage):
    """A row that holds, or will, comes to its end."""

    form = EndForm
    submit = "End it"

    @abstractmethod
    def name(self, row: Any) -> str:
        """Say what holds, for people."""

    @abstractmethod
    def end(self, row: Any, data: dict[str, Any], *, author: Author) -> None:
        """Call the service."""

    def preview(self, row: Any, data: dict[str, Any]) -> Preview:
        """Show when it ends now, and when then."""
        now = clock.now()
        dated_spans.check_end(row, data["ends_at"], now=now)
        ends = _shown(data["ends_at"]) or _NOW
        then = "never begins" if _never_begins(row, data["ends_at"] or now) else f"until {ends}"
        line = Line(self.name(row), _span(row), then)
        return Preview([line], "Other rows go on as they are.", dated_spans.fingerprint([row]))

    def carry_out(self, row: Any, data: dict[str, Any], *, author: Author) -> str:
        """End it."""
        self.end(row, data, author=author)
        return f"{self.name(row)} ends {_shown(data['ends_at']) or _NOW}."


def _never_begins(row: Any, until: dt.datetime) -> bool:
    return bool(row.valid_from_at >= until)


def _span(row: Any) -> str:
    until = f"until {_shown(row.valid_until_at)}" if row.valid_until_at else _OPEN
    return f"from {_shown(row.valid_from_at)} {until}"


def _shown(at: dt.datetime | None) -> str:
    if at is None:
        return ""
    local = at.astimezone(IST)
    return f"{local.day} {local:%b %Y, %H:%M}"
