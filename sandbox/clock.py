"""The sandbox's clock: it shares nothing with the platform's, and it can be moved."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from typing import TypeVar

IST = dt.timezone(dt.timedelta(hours=5, minutes=30), "IST")

Result = TypeVar("Result")

_ahead = [dt.timedelta(0)]
_sleepers: set["asyncio.Future[None]"] = set()
_limits: set[asyncio.Timeout] = set()


def now() -> dt.datetime:
    """Return the present instant, in Indian time, as every message writes it."""
    return dt.datetime.now(tz=IST) + _ahead[0]


def ahead() -> dt.timedelta:
    """Return how far this clock is ahead of the machine's."""
    return _ahead[0]


def set_ahead(by: dt.timedelta) -> None:
    """
    Move the clock; whoever waits for an instant looks at it again.

    A limit that is running has so much less time left. Moved back, the clock leaves it as it is.
    """
    forward = (by - _ahead[0]).total_seconds()
    _ahead[0] = by
    for limit in list(_limits) if forward > 0 else ():
        due = limit.when()
        if due is not None and not limit.expired():
            limit.reschedule(due - forward)
    for sleeper in _sleepers:
        if not sleeper.done():
            sleeper.set_result(None)


@contextlib.asynccontextmanager
async def at_most(seconds: float | None) -> AsyncIterator[None]:
    """Raise TimeoutError where so many seconds of this clock have passed; None sets no limit."""
    async with asyncio.timeout(seconds) as limit:
        _limits.add(limit)
        try:
            yield
        finally:
            _limits.discard(limit)


async def sleep(seconds: float) -> None:
    """Wait until so many seconds of this clock have passed."""
    with contextlib.suppress(TimeoutError):
        async with at_most(seconds):
            await asyncio.get_running_loop().create_future()


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
