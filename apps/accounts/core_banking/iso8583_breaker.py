"""
The circuit breaker of a host: what one process finds out, all obey.

It is a mark in Redis that ends by itself: without Redis, and when whoever set it is gone, the next
call finds out anew.
"""

import time

import redis
import structlog
from django.core.cache import cache
from django_redis.exceptions import ConnectionInterrupted
from prometheus_client import Counter, Gauge

log = structlog.get_logger(__name__)

# A process whose host stays silent renews the mark at least as often.
MARK_SECONDS = 30
SEEN_SECONDS = 0.2
_MARK = "core_banking:host_is_down"
_OUTAGES = (redis.RedisError, ConnectionInterrupted, OSError)

# All processes see the same mark: the latest word of any of them is how things are.
HOST_IS_DOWN = Gauge(
    "core_banking_host_down",
    "1 while the core-banking host is marked down and nothing is sent to it.",
    multiprocess_mode="mostrecent",
)
MARKS = Counter(
    "core_banking_host_marks",
    "How often a process of ours marked the core-banking host down, or up again.",
    ["mark"],
)


class Breaker:
    """Whether the host is marked down, as this process knew it a fifth of a second ago."""

    def __init__(self) -> None:
        self._is_open = False
        self._seen_until = 0.0

    def is_open(self) -> bool:
        """Tell whether nothing should be sent now."""
        if time.monotonic() >= self._seen_until:
            self._see(is_open=self._read())
        return self._is_open

    def open(self) -> None:
        """Mark the host down, for everybody."""
        if not self._is_open:
            log.warning("host_marked_down")
            MARKS.labels("down").inc()
        self._see(is_open=True)
        try:
            cache.set(_MARK, 1, MARK_SECONDS)
        except _OUTAGES as error:
            log.warning("breaker_not_shared", error=type(error).__name__)

    def close(self) -> None:
        """Take the mark away: the host has answered."""
        self._see(is_open=False)
        try:
            if cache.delete(_MARK):
                log.info("host_marked_up")
                MARKS.labels("up").inc()
        except _OUTAGES as error:
            log.warning("breaker_not_shared", error=type(error).__name__)

    def _see(self, *, is_open: bool) -> None:
        self._is_open = is_open
        HOST_IS_DOWN.set(int(is_open))
        self._seen_until = time.monotonic() + SEEN_SECONDS

    def _read(self) -> bool:
        try:
            return cache.get(_MARK) is not None
        except _OUTAGES as error:
            log.warning("breaker_not_shared", error=type(error).__name__)
            return False
