"""
How much a platform does at most: more is asked of it until it does no more.

Batches grow with load, so what a short burst shows is what small batches cost, and not saturation.
"""

from collections.abc import Callable

from tests.benchmarks import conditions

STEP_UP = 1.3
STEP_SECONDS = conditions.seconds(5, quick=2)
# A step that gives less than this is the machine's own swing.
GROWS = 1.1
# Above what was done by a burst, so that there is always a queue; not so far that who waits in it
# meets a time limit.
OVERLOAD = 1.05


def rate(play: Callable[[int, float], float], *, burst: int, burst_rate: float) -> float:
    """
    Return a rate a little above the highest that was done.

    `play` does so many at such a rate in an open loop, and returns how many a second were done.
    """
    best = play(burst, burst_rate)
    while True:
        asked = STEP_UP * best
        done = play(int(asked * STEP_SECONDS), asked)
        if done < GROWS * best:
            return OVERLOAD * max(best, done)
        best = done
