"""Give cases their ids: the role's letters and a number, in the order of the tables."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from conformance.case import Case


def numbered(cases: Iterable[Case], *, first: int) -> Iterator[Case]:
    """
    Give each case of a table its number, each role by itself, from `first` on.

    A table begins at its own hundred, so that a row added to one renumbers no other.
    """
    next_of: dict[str, int] = {}
    for case in cases:
        number = next_of.get(case.role, first)
        next_of[case.role] = number + 1
        yield replace(case, id=f"{case.role}-{number:03d}")
