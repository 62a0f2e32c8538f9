"""Pages that change dated rules: from a day on another value holds, until further notice."""

import datetime as dt
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models

from apps.common import clock
from apps.operators.change_pages import ChangeForm, ChangePage, DayField, Line, Preview
from apps.operators.contracts import Author
from apps.operators.errors import BeginsInThePastError
from apps.operators.services import dated_rules


class RuleForm(ChangeForm):
    """From which day on."""

    begins = DayField(label="From", help_text="An Indian day, today at the earliest.")


class RulePage(ChangePage):
    """A change of what holds under one key of a table of dated rules."""

    model: ClassVar[type[models.Model]]
    submit = "Change it"

    @abstractmethod
    def key(self, data: dict[str, Any]) -> Mapping[str, Any]:
        """Return which rule changes."""

    @abstractmethod
    def describe(self, row: Any) -> str:
        """Say what a row says, for people."""

    @abstractmethod
    def say(self, data: dict[str, Any]) -> str:
        """Say what will hold, for people; "" when nothing will."""

    @abstractmethod
    def change(self, data: dict[str, Any], *, author: Author) -> None:
        """Call the service."""

    def initial(self, row: Any) -> dict[str, Any]:
        """Begin today."""
        del row
        return {"begins": clock.business_date(clock.now()).isoformat()}

    def preview(self, row: Any, data: dict[str, Any]) -> Preview:
        """Show which rows end, which never come, and what holds then."""
        del row
        begins = data["begins"]
        if begins < clock.business_date(clock.now()):
            raise BeginsInThePastError
        rows = dated_rules.open_rows(self.model, self.key(data))
        lines = [
            Line(f"Rule from {_day(row.valid_from_date)}", self._now(row), _then(row, begins))
            for row in rows
        ]
        said = self.say(data)
        if said:
            lines.append(Line("New rule", "–", f"{said}, from {_day(begins)} until further notice"))
        what = " ".join(str(part) for part in self.key(data).values())
        effect = f"{what}: from {_day(begins)} on, {said or 'no rule'}."
        return Preview(lines, effect, dated_rules.fingerprint(rows))

    def carry_out(self, row: Any, data: dict[str, Any], *, author: Author) -> str:
        """Change the rule."""
        del row
        self.change(data, author=author)
        what = " ".join(str(part) for part in self.key(data).values())
        return f"{what} from {_day(data['begins'])} on: {self.say(data) or 'no rule'}."

    def _now(self, row: Any) -> str:
        until = f"until {_day(row.valid_to_date)}" if row.valid_to_date else "until further notice"
        return f"{self.describe(row)}, {until}"


def _then(row: Any, begins: dt.date) -> str:
    if row.valid_to_date is not None and row.valid_to_date <= begins:
        return "as planned"
    if row.valid_from_date >= begins:
        return "holds no more" if row.valid_from_date == begins else "does not begin"
    return f"ends with {_day(begins - dt.timedelta(days=1))}"


def _day(date: dt.date) -> str:
    return f"{date.day} {date:%b %Y}"
