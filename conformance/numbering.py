"""Make cases of functions, and give cases their ids: the role's letters and a number."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from conformance.case import Case, Role, Stage

_SAID_AS_LETTERS = {"pin", "otp", "rrn"}


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


class Play(NamedTuple):
    """A function that is a case, and where its promise is written."""

    play: Callable[[Stage], None]
    source: str
    is_clean: bool = True
    waits_seconds: float = 0


def cases_of(
    role: Role,
    plays: Sequence[Play | tuple[Callable[[Stage], None], str, bool]],
    *,
    given: str,
    when: str,
    first: int,
    about: str = "",
) -> tuple[Case, ...]:
    """Make a case of each function: its docstring is what it promises, `about` begins its title."""
    made = []
    for play, source, is_clean, waits_seconds in (Play(*each) for each in plays):
        promise = (play.__doc__ or "").strip()
        made.append(
            Case(
                id="",
                role=role,
                title=_title(about, str(getattr(play, "__name__", ""))),
                given=given,
                when=when,
                then=promise,
                source=f"upi-protocol {source}",
                play=play,
                is_clean=is_clean,
                waits_seconds=waits_seconds,
            )
        )
    return tuple(numbered(made, first=first))


def _title(about: str, name: str) -> str:
    words = name.split("_")
    said = " ".join(word.upper() if word in _SAID_AS_LETTERS else word for word in words)
    return f"{about}: {said}" if about else said[0].upper() + said[1:]
