"""
Shed questions of which there are too many, so that no payment waits behind them.

Whoever asks what became of a payment, whose an address is or which accounts a number has can ask
again; money cannot wait. So questions have a part of a process's threads and so many a second, and
the others keep the rest. What is shed is not read, not verified and not written.
"""

import functools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

QUESTIONS = frozenset({"ReqChkTxn", "ReqListAccount", "ReqValAdd"})
RETRY_AFTER_SECONDS = 1


class Room:
    """Room for so many questions at once, and for so many a second; an idle second is saved up."""

    def __init__(self, *, at_once: int, per_second: float) -> None:
        self._at_once = at_once
        self._per_second = per_second
        self._lock = threading.Lock()
        self._inside = 0
        self._left = per_second
        self._left_at = 0.0

    def enter(self, *, at: float) -> bool:
        """Take a place, at an instant of the monotonic clock; False when there is none."""
        with self._lock:
            idle = max(0.0, at - self._left_at)
            self._left = min(self._per_second, self._left + idle * self._per_second)
            self._left_at = max(self._left_at, at)
            if self._inside >= self._at_once or self._left < 1:
                return False
            self._inside += 1
            self._left -= 1
            return True

    def leave(self) -> None:
        """Give the place back."""
        with self._lock:
            self._inside -= 1


@contextmanager
def place_for(api: str) -> Iterator[bool]:
    """Hold a place for a message while it is taken; False when it must be shed."""
    if api not in QUESTIONS:
        yield True
        return
    room = _room(settings.UPI_QUESTIONS_AT_ONCE, settings.UPI_QUESTIONS_PER_SECOND)
    if not room.enter(at=time.monotonic()):
        yield False
        return
    try:
        yield True
    finally:
        room.leave()


@functools.lru_cache(maxsize=1)
def _room(at_once: int, per_second: float) -> Room:
    return Room(at_once=at_once, per_second=per_second)
