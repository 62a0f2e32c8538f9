"""Wake the workers of a step by a hint: the row says what is due, and the sweeper looks too."""

from collections.abc import Callable

import redis
import structlog
from django.conf import settings

from apps.messaging import hints

log = structlog.get_logger(__name__)


def wake_on_commit(step: str) -> None:
    """
    Wake a step once the open transaction has committed (at once when none is open).

    `step` is the name of its Celery task, such as "payments.debit". Asking twice is asking once.
    """
    hints.send_on_commit(steps=[step])


def wake(step: str) -> None:
    """Send a wake-up unless one is already under way. Trouble is logged, never raised."""
    hints.send(steps=[step])


def drain(step: str, work: Callable[[], int], *, leaves_nothing_below: int = 1) -> int:
    """
    Do what is due in a step until nothing is left, and return how much was done.

    `work` claims and works one batch and returns its size; one of fewer than `leaves_nothing_below`
    was all there was. The flag falls before the first claim, so that whoever commits from now on
    wakes somebody. After the last round allowed it wakes the step again rather than hold the
    worker.
    """
    try:
        hints.client().delete(hints.flag_of(step))
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
