"""Wake the workers of a step by a hint: the row says what is due, and the sweeper looks too."""

from collections.abc import Callable

from django.conf import settings

from apps.messaging import hints


def wake_on_commit(step: str, *, is_for_all: bool = False) -> None:
    """
    Wake a step once the open transaction has committed (at once when none is open).

    `step` is the name of its Celery task, such as "payments.debit". Asking twice is asking once.
    With `is_for_all` it looks at all that may be due: `take_new` of its drain would pass by.
    """
    hints.send_on_commit(steps={step: is_for_all})


def wake(step: str) -> None:
    """Send a wake-up unless one is already under way. Trouble is logged, never raised."""
    hints.send(steps={step: False})


def wake_for_all(step: str) -> None:
    """Send a wake-up as the sweeper does: to look at all that may be due."""
    hints.send(steps={step: True})


def drain(
    step: str,
    work: Callable[[], int],
    *,
    take_new: Callable[[], int] | None = None,
    leaves_nothing_below: int = 1,
) -> int:
    """
    Do what is due in a step until nothing is left, and return how much was done.

    `work` claims and works one batch and returns its size; one of fewer than `leaves_nothing_below`
    was all there was. `take_new` does the same without a look at what else may be due, which is
    enough for the first round of a drain that the sweeper has not asked for. The flag falls before
    the first claim, so that whoever commits from now on wakes somebody. After the last round
    allowed it wakes the step again rather than hold the worker.
    """
    is_for_all = hints.begin(step)
    done = take_new() if take_new is not None and not is_for_all else 0
    if 0 < done < leaves_nothing_below:
        return done
    for _ in range(settings.DRAIN_ROUNDS_MAX):
        size = work()
        done += size
        if size < leaves_nothing_below:
            return done
    # Not for what is new alone: what is left may be old.
    wake_for_all(step)
    return done
