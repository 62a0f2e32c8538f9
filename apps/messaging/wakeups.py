"""
Wake the workers of a step.

A wake-up is a hint: it may be lost, repeated or late, and nothing breaks, for the row says what is
due and the sweeper asks each second. So nothing here may slow down or fail its caller.
"""

import functools
from collections.abc import Callable

import redis
import structlog
from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu import Connection
from kombu.exceptions import OperationalError as BrokerError
from kombu.pools import producers

log = structlog.get_logger(__name__)

FLAG_LIFE_MILLISECONDS = 1000
TASK_LIFE_SECONDS = 5
TIMEOUT_SECONDS = 0.2


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
    try:
        if not _redis().set(_flag(step), "1", nx=True, px=FLAG_LIFE_MILLISECONDS):
            return
        with producers[_broker()].acquire(block=True, timeout=TIMEOUT_SECONDS) as producer:
            current_app.send_task(step, expires=TASK_LIFE_SECONDS, retry=False, producer=producer)
    except (redis.RedisError, BrokerError, OSError) as error:
        log.warning("wake_up_lost", step=step, error=type(error).__name__)


def drain(step: str, work: Callable[[], int]) -> int:
    """
    Do what is due in a step until nothing is left, and return how much was done.

    `work` claims and works one batch and returns its size. The flag falls before the first claim,
    so that whoever commits from now on wakes somebody. After the last round allowed it wakes the
    step again rather than hold the worker.
    """
    try:
        _redis().delete(_flag(step))
    except (redis.RedisError, OSError) as error:
        log.warning("wake_up_flag_kept", step=step, error=type(error).__name__)
    done = 0
    for _ in range(settings.DRAIN_ROUNDS_MAX):
        size = work()
        if size == 0:
            return done
        done += size
    wake(step)
    return done


def _flag(step: str) -> str:
    return f"wake:{step}"


@functools.cache
def _redis() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
    )


@functools.cache
def _broker() -> Connection:
    # A connection of its own: a worker's waits for messages and needs longer time-outs.
    return Connection(
        settings.CELERY_BROKER_URL,
        connect_timeout=TIMEOUT_SECONDS,
        transport_options={
            "socket_timeout": TIMEOUT_SECONDS,
            "socket_connect_timeout": TIMEOUT_SECONDS,
            "max_retries": 0,
        },
    )
