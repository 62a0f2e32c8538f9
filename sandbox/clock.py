"""The sandbox's clock: it shares nothing with the platform's, and it can be moved."""

import asyncio
import contextlib
import datetime as dt
from typing import TypeVar

IST = dt.timezone(dt.timedelta(hours=5, minutes=30), "IST")

Result = TypeVar("Result")

_ahead = [dt.timedelta(0)]
_sleepers: set["asyncio.Future[None]"] = set()


def now() -> dt.datetime:
    """Return the present instant, in Indian time, as every message writes it."""
    return dt.datetime.now(tz=IST) + _ahead[0]


def ahead() -> dt.timedelta:
    """Return how far this clock is ahead of the machine's."""
    return _ahead[0]


def set_ahead(by: dt.timedelta) -> None:
    """Move the clock; whoever waits for an instant looks at it again."""
    _ahead[0] = by
    for sleeper in _sleepers:
        if not sleeper.done():
            sleeper.set_result(None)


async def at_most_until(at: dt.datetime, task: "asyncio.Task[Result]") -> Result | None:
    """Return what the task returns, or None once the clock has passed this instant."""
    while not task.done() and (left := (at - now()).total_seconds()) > 0:
        sleeper = asyncio.get_running_loop().create_future()
        _sleepers.add(sleeper)
        try:
            await asyncio.wait({task, sleeper}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            sleeper.cancel()
            _sleepers.discard(sleeper)
    # What came at the last moment counts: it has been taken.
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        return await task
    return None


def iso(at: dt.datetime) -> str:
    """Write an instant as messages do: ISO 8601 with offset, to the millisecond."""
    return at.isoformat(timespec="milliseconds")


def is_iso(text: str) -> bool:
    """Say whether this is an instant with an offset."""
    try:
        return dt.datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
