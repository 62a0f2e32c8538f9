"""
Hints: wake-ups of steps, and words to whoever listens. All of a transaction leave in one trip.

They go through the broker's Redis after the commit. A hint may be lost, repeated or late, and
nothing breaks: the row says what is due, the sweeper asks each second, and who listens looks for
himself from time to time. So nothing here may slow down or fail its caller.
"""

import datetime as dt
import functools
import time
from collections.abc import Collection, Iterable, Mapping

import redis
import structlog
from django.conf import settings
from django.db import transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.common import clock
from apps.messaging import task_message

log = structlog.get_logger(__name__)

FLAG_LIFE_MILLISECONDS = 1000
ASKED_LIFE_MILLISECONDS = 10_000
TASK_LIFE_SECONDS = 5
TIMEOUT_SECONDS = 0.2
# A Redis that has just kept somebody waiting is left alone for so long: else each commit waits.
SILENCE_SECONDS = 1.0

# Sent as it is, for it is short: a server that has forgotten a digest would need it again.
_WAKE = """
    if redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) then
        redis.call('LPUSH', KEYS[2], ARGV[2])
    end
"""


_NO_STEPS: Mapping[str, bool] = {}


class _Client(redis.Redis):
    """A process's way to Redis, for all its threads; `_quiet_until` by the monotonic clock."""

    _quiet_until = 0.0

    @property
    def is_left_alone(self) -> bool:
        return time.monotonic() < self._quiet_until

    def leave_alone(self) -> None:
        self._quiet_until = time.monotonic() + SILENCE_SECONDS


class _Hints:
    """What one transaction has to say, each once and in the order in which it was said."""

    def __init__(self) -> None:
        # Each step, and whether it is to look at all that may be due.
        self.steps: dict[str, bool] = {}
        self.words: dict[tuple[str, str], None] = {}

    def send(self) -> None:
        send(steps=self.steps, words=self.words)


def send_on_commit(
    *, steps: Mapping[str, bool] = _NO_STEPS, words: Iterable[tuple[str, str]] = ()
) -> None:
    """
    Send hints once the open transaction has committed (at once when none is open).

    `steps` are names of Celery tasks, with True for one that is to look at all that may be due and
    not only at what is new; `words` are pairs of a channel and what is said there.
    """
    hooks = transaction.get_connection().run_on_commit
    known = [getattr(hook[1], "__self__", None) for hook in hooks]
    hints = next((each for each in known if isinstance(each, _Hints)), None)
    is_first = hints is None
    hints = hints or _Hints()
    for step, is_for_all in steps.items():
        hints.steps[step] = is_for_all or hints.steps.get(step, False)
    hints.words.update(dict.fromkeys(words))
    if is_first and (hints.steps or hints.words):
        transaction.on_commit(hints.send, robust=True)


def send(
    *,
    steps: Mapping[str, bool] = _NO_STEPS,
    words: Collection[tuple[str, str]] = (),
) -> None:
    """Send hints now; a step is not woken while it is being woken. Trouble is logged only."""
    if client().is_left_alone:
        return
    expires_at = clock.now() + dt.timedelta(seconds=TASK_LIFE_SECONDS)
    try:
        trip = client().pipeline(transaction=False)
        for step, is_for_all in steps.items():
            if is_for_all:
                trip.set(_all_of(step), "1", px=ASKED_LIFE_MILLISECONDS)
            message = task_message.task_message(step, expires_at=expires_at)
            keys = (flag_of(step), task_message.queue_of(step))
            trip.eval(_WAKE, 2, *keys, FLAG_LIFE_MILLISECONDS, message)
        for channel, word in words:
            trip.publish(channel, word)
        trip.execute()
    except (redis.RedisError, OSError) as error:
        _spare(error)
        lost = [*steps, *sorted({channel for channel, _ in words})]
        log.warning("hints_lost", lost=lost, error=type(error).__name__)


def begin(step: str) -> bool:
    """
    Let the flag of a step fall, and return whether it is to look at all that may be due.

    It is when nobody can tell.
    """
    if client().is_left_alone:
        return True
    try:
        trip = client().pipeline(transaction=False)
        trip.delete(flag_of(step))
        trip.getdel(_all_of(step))
        _, asked = trip.execute()
    except (redis.RedisError, OSError) as error:
        _spare(error)
        log.warning("wake_up_flag_kept", step=step, error=type(error).__name__)
        return True
    return asked is not None


def _spare(error: Exception) -> None:
    # Whoever refuses at once keeps nobody waiting.
    if isinstance(error, redis.TimeoutError):
        client().leave_alone()


def flag_of(step: str) -> str:
    """Return the key that stands while a wake-up of a step is under way."""
    return f"wake:{step}"


def _all_of(step: str) -> str:
    return f"all:{step}"


@functools.cache
def client() -> _Client:
    """Return the connections of this process by which it says things; they do not wait long."""
    # The broker's, so that flag and task are one step of one server. A worker's own connection
    # waits for messages and needs longer time-outs.
    pool = redis.ConnectionPool.from_url(
        settings.CELERY_BROKER_URL,
        # A hint that is tried again may come late; it is not worth the caller's time.
        retry=Retry(NoBackoff(), 0),
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
    )
    return _Client(connection_pool=pool)
