"""Wait for a payment's news: one thread a process listens; whoever waits holds no connection."""

import functools
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import redis
import structlog
from django.db import connection

from apps.messaging import listening, notices
from apps.payments.services.live import CHANNEL, word_of
from apps.payments.states import Role

log = structlog.get_logger(__name__)

T = TypeVar("T")

# A word may be lost (it is sent after the commit): then the second look comes by itself.
LOOK_AGAIN_SECONDS = 3.0
_LISTEN_SECONDS = 30.0
_RECONNECT_SECONDS = 1.0


class Listener:
    """Hears the words of `live.tell_on_commit` and wakes those who wait for them."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[threading.Event]] = {}
        self._lock = threading.Lock()
        self._is_closed = False
        self._thread = threading.Thread(target=self._listen, name="payments-live", daemon=True)
        self._thread.start()

    @contextmanager
    def subscribed(self, word: str) -> Iterator[threading.Event]:
        """Return an event that is set when the word is said."""
        event = threading.Event()
        with self._lock:
            self._waiting.setdefault(word, set()).add(event)
        try:
            yield event
        finally:
            with self._lock:
                events = self._waiting[word]
                events.discard(event)
                if not events:
                    del self._waiting[word]

    def close(self) -> None:
        """Stop listening and give the connection back."""
        self._is_closed = True
        notices.notify_on_commit(CHANNEL, [listening.ANYTHING])
        self._thread.join()

    def _listen(self) -> None:
        """Listen for as long as the process lives; a connection that breaks is made again."""
        with listening.Listener(CHANNEL) as listener:
            while not self._is_closed:
                try:
                    for word in listener.hear(_LISTEN_SECONDS):
                        self._wake(word)
                except (redis.RedisError, OSError) as error:
                    log.warning("live_listener_broken", error=type(error).__name__)
                    time.sleep(_RECONNECT_SECONDS)

    def _wake(self, word: str) -> None:
        if word == listening.ANYTHING:
            self._wake_all()
            return
        with self._lock:
            events = list(self._waiting.get(word, ()))
        for event in events:
            event.set()

    def _wake_all(self) -> None:
        """Make everybody look: words may have been missed while nobody listened."""
        with self._lock:
            events = [event for events in self._waiting.values() for event in events]
        for event in events:
            event.set()


@functools.cache
def listener_of(process_id: int) -> Listener:
    """Return the listener of this process; a forked process has its own."""
    log.info("live_listener_started", process_id=process_id)
    return Listener()


def wait_until(
    look: Callable[[], T],
    *,
    is_over: Callable[[T], bool],
    role: Role,
    transaction_id: str,
    seconds: float,
) -> T:
    """
    Return what `look` sees of a role's leg once it is over, or when the time has passed.

    The database connection is given back while we wait.
    """
    if seconds <= 0:
        return look()
    deadline = time.monotonic() + seconds
    with listener_of(os.getpid()).subscribed(word_of(role, transaction_id)) as news:
        # Only now: what comes after this look is heard.
        seen = look()
        while not is_over(seen) and (left := deadline - time.monotonic()) > 0:
            connection.close()
            news.wait(min(left, LOOK_AGAIN_SECONDS))
            news.clear()
            seen = look()
    return seen
