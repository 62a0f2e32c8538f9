"""Pages that turn a row from one state to another and back: no question but why."""

from abc import abstractmethod
from typing import Any, ClassVar

from apps.operators.change_pages import ChangePage, Line, Preview
from apps.operators.contracts import Author
from apps.operators.errors import ChangedMeanwhileError


class TurnPage(ChangePage):
    """A row goes from `source` to `target`; the service refuses it from any other state."""

    source: ClassVar[str]
    target: ClassVar[str]
    effect: ClassVar[str]

    @abstractmethod
    def state(self, row: Any) -> str:
        """Return the state that the row is in."""

    @abstractmethod
    def name(self, row: Any) -> str:
        """Say which row, for people."""

    @abstractmethod
    def turn(self, row: Any, *, author: Author) -> None:
        """Call the service."""

    def preview(self, row: Any, data: dict[str, Any]) -> Preview:
        """Show the state that it is in, and the one to come."""
        del data
        if self.state(row) != self.source:
            raise ChangedMeanwhileError
        return Preview([Line(self.name(row), self.source, self.target)], self.effect)

    def carry_out(self, row: Any, data: dict[str, Any], *, author: Author) -> str:
        """Turn it."""
        del data
        self.turn(row, author=author)
        return f"{self.name(row)}: {self.target}."
