"""
Wake the workers of a step.

A wake-up is a hint: it may be lost, repeated or late, and nothing breaks, for the row says what is
due and the sweeper asks each second. So nothing here may slow down or fail its caller.
"""

import datetime as dt
import functools
from collections.abc import Callable

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
    wakes somebody. After the last round allowed it wakes the step again rather than hold the
    worker.
    """
    try:
        _redis().delete(_flag(step))
    except (redis.RedisError, OSError) as error:
        log.warning("wake_up_flag_kept", step=step, error=type(error).__name__)
    done = 0
    for _ in range(settings.DRAIN_ROUNDS_MAX):
        size = work()
        done += size
        if size < leaves_nothing_below:
            return done
    wake(step)
    return done


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
