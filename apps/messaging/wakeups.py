"""
Wake the workers of a step.

A wake-up is a hint: it may be lost, repeated or late, and nothing breaks, for the row says what is
due and the sweeper asks each second. So nothing here may slow down or fail its caller.
"""

import datetime as dt
import functools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import redis
import structlog
from django.conf import settings
from django.db import transaction
from redis.commands.core import Script

from apps.common import clock
from apps.messaging import task_message

log = structlog.get_logger(__name__)

FLAG_LIFE_MILLISECONDS = 1000
TASK_LIFE_SECONDS = 5
TIMEOUT_SECONDS = 0.2
# A round that takes longer waits for somebody; what is due meanwhile does not wait with it.
ROUND_PATIENCE_SECONDS = 0.5

_SEND = """
    if redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) then
        redis.call('LPUSH', KEYS[2], ARGV[2])
    end
"""


def wake_on_commit(step: str) -> None:
    """
    Wake a step once the open transaction has committed (at once when none is open).

    `step` is the name of its Celery task, such as "payments.debit". Asking twice is asking once.
    """
    connection = transaction.get_connection()
    if connection.in_atomic_block and any(
        isinstance(hook[1], functools.partial) and hook[1].func is wake and hook[1].args == (step,)
        for hook in connection.run_on_commit
    ):
        return
    transaction.on_commit(functools.partial(wake, step), robust=True)


def wake(step: str) -> None:
    """Send a wake-up unless one is already under way. Trouble is logged, never raised."""
    expires_at = clock.now() + dt.timedelta(seconds=TASK_LIFE_SECONDS)
    try:
        _send()(
            keys=[_flag(step), task_message.queue_of(step)],
            args=[
                FLAG_LIFE_MILLISECONDS,
                task_message.task_message(step, expires_at=expires_at),
            ],
        )
    except (redis.RedisError, OSError) as error:
        log.warning("wake_up_lost", step=step, error=type(error).__name__)


def drain(step: str, work: Callable[[], int], *, leaves_nothing_below: int = 1) -> int:
    """
    Do what is due in a step until nothing is left, and return how much was done.

    `work` claims and works one batch and returns its size; one of fewer than `leaves_nothing_below`
    was all there was. The flag falls before the first claim, so that whoever commits from now on
    wakes somebody. In one process one thread drains a step, so that batches form: whoever is woken
    beside it leaves it word to look again. After the last round allowed it wakes the step again
    rather than hold the worker.
    """
    try:
        _redis().delete(_flag(step))
    except (redis.RedisError, OSError) as error:
        log.warning("wake_up_flag_kept", step=step, error=type(error).__name__)
    drainer = _begin(step)
    if drainer is None:
        return 0
    done = 0
    try:
        for _ in range(settings.DRAIN_ROUNDS_MAX):
            drainer.begin_round()
            size = work()
            done += size
            if size < leaves_nothing_below and _is_over(step, drainer):
                return done
        drainer.was_told = True
    finally:
        _end(step, drainer)
        if drainer.was_told:
            wake(step)
    return done


@dataclass(slots=True)
class _Drainer:
    """A drain of this process; `was_told` says that somebody was woken since its round began."""

    round_begun: float = 0.0
    was_told: bool = False

    def begin_round(self) -> None:
        self.round_begun = time.monotonic()
        self.was_told = False


_LOCK = threading.Lock()
_DRAINERS: dict[str, _Drainer] = {}


def _begin(step: str) -> _Drainer | None:
    """Return our drain of a step, None when another that is not stuck was told to look again."""
    with _LOCK:
        other = _DRAINERS.get(step)
        if other is not None and time.monotonic() - other.round_begun < ROUND_PATIENCE_SECONDS:
            other.was_told = True
            return None
        drainer = _DRAINERS[step] = _Drainer(round_begun=time.monotonic())
        return drainer


def _is_over(step: str, drainer: _Drainer) -> bool:
    """Take a drain off the list unless it was told to look again: from here on others drain."""
    with _LOCK:
        if drainer.was_told:
            return False
        _forget(step, drainer)
        return True


def _end(step: str, drainer: _Drainer) -> None:
    with _LOCK:
        _forget(step, drainer)


def _forget(step: str, drainer: _Drainer) -> None:
    if _DRAINERS.get(step) is drainer:
        del _DRAINERS[step]


def _flag(step: str) -> str:
    return f"wake:{step}"


@functools.cache
def _redis() -> "redis.Redis":
    # The broker's, so that flag and task are one step of one server. A worker's own connection
    # waits for messages and needs longer time-outs.
    return redis.Redis.from_url(
        settings.CELERY_BROKER_URL,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
    )


@functools.cache
def _send() -> Script:
    return _redis().register_script(_SEND)
