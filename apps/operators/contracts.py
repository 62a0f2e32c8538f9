"""What crosses the door of the back office: who changes something, and why."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Author:
    """
    The operator by whose word something changes, and the reason that is kept with it.

    `seen` is the fingerprint of what they were shown: what somebody changed since is not changed.
    """

    operator: str
    staff_number: str
    reason: str
    seen: str = ""
    source_address: str = ""

    def as_source(self) -> str:
        """Return what a row keeps of it; the audit log has the rest."""
        return f"{self.staff_number}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Span:
    """From one instant, None: at once, until and without another, None: until further notice."""

    begins_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class KeyUse:
    """
    What can only be verified with a key: how much of it there is, and how to let it go.

    Both take the key's label and return how many; letting go is safe to repeat.
    """

    count: Callable[[str], int]
    let_go: Callable[[str], int]
