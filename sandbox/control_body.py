"""What the control door accepts: small JSON objects, read strictly, refused with a stable code."""

import json
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn

from aiohttp import web

_TEXT_MAX = 10_000


class ProblemError(Exception):
    """The door refuses; nothing has happened."""

    def __init__(self, code: str, detail: str, *, status: int) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.status = status


def refuse(code: str, detail: str, *, status: int = 400) -> NoReturn:
    """
    Refuse a call.

    Raises ProblemError, always.
    """
    raise ProblemError(code, detail, status=status)


@web.middleware
async def problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Write a refusal as a problem document (RFC 9457)."""
    try:
        return await handler(request)
    except ProblemError as problem:
        return web.json_response(
            {"code": problem.code, "detail": problem.detail, "status": problem.status},
            status=problem.status,
            content_type="application/problem+json",
        )


class Body:
    """A JSON object whose members are taken one by one; what nobody took is refused."""

    def __init__(self, members: dict[str, object]) -> None:
        self._members = members

    @classmethod
    async def read(cls, request: web.Request) -> "Body":
        """
        Read a request's body.

        Raises ProblemError unless it is one JSON object without doubled members.
        """
        content = parse(await request.read())
        if not isinstance(content, dict):
            refuse("invalid", "the body must be a JSON object")
        return cls(content)

    def add(self, name: str, value: object) -> None:
        """Put in what the path says."""
        self._members[name] = value

    def has(self, name: str) -> bool:
        """Say whether a member is given and not taken yet."""
        return name in self._members

    def text(self, name: str, *, default: str | None = None) -> str:
        """Take a text."""
        value = self._members.pop(name, default)
        if not isinstance(value, str) or len(value) > _TEXT_MAX:
            refuse("invalid", f"{name} must be a text")
        return value

    def choice(self, name: str, allowed: Sequence[str]) -> str:
        """Take one of these words."""
        value = self.text(name)
        if value not in allowed:
            refuse("invalid", f"{name} must be one of {', '.join(allowed)}")
        return value

    def integer(self, name: str, *, least: int, most: int, default: int | None = None) -> int:
        """Take a whole number within bounds."""
        value = self._members.pop(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            refuse("invalid", f"{name} must be a whole number from {least} to {most}")
        return value

    def number(self, name: str, *, most: float, least: float = 0) -> float:
        """Take a number within bounds; zero if it is not given."""
        value = self._members.pop(name, 0)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not isinstance(value, int | float) or not least <= value <= most:
            refuse("invalid", f"{name} must be a number from {least} to {most}")
        return value

    def boolean(self, name: str) -> bool:
        """Take a yes or no; no if it is not given."""
        value = self._members.pop(name, False)
        if not isinstance(value, bool):
            refuse("invalid", f"{name} must be true or false")
        return value

    def object(self, name: str) -> "Body":
        """Take an object."""
        value = self._members.pop(name, None)
        if not isinstance(value, dict):
            refuse("invalid", f"{name} must be an object")
        return Body(value)

    def rates(self, name: str, allowed: Sequence[str]) -> dict[str, float]:
        """Take an object of shares of one, each for one of these words; together at most one."""
        taken = self.object(name)
        rates = {word: taken.number(word, most=1) for word in list(taken._members)}  # noqa: SLF001 - one of its own
        if unknown := set(rates) - set(allowed):
            refuse("invalid", f"unknown in {name}: {', '.join(sorted(unknown))}")
        if sum(rates.values()) > 1:
            refuse("invalid", f"{name} must not be more than one together")
        return rates

    def end(self) -> None:
        """Refuse members that nobody took: a misspelt order must not look obeyed."""
        if self._members:
            refuse("invalid", f"unknown members: {', '.join(sorted(self._members))}")


def parse(text: bytes) -> object:
    """Read JSON without doubled members. Raises ProblemError."""
    try:
        content: object = json.loads(text, object_pairs_hook=_single, parse_constant=_no_constant)
    except (ValueError, UnicodeDecodeError, RecursionError):
        refuse("invalid", "the body must be a JSON object")
    return content


def number(text: str, *, most: float) -> float:
    """Read a number of the query string, from zero to this bound."""
    try:
        value = float(text)
    except ValueError:
        refuse("invalid", "not a number")
    if not math.isfinite(value) or not 0 <= value <= most:
        refuse("invalid", f"not a number from 0 to {most}")
    return value


def _single(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is given twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
