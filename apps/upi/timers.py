"""How long each timer is today, for whoever waits."""

import datetime as dt
import functools
import time

from django.conf import settings

from apps.common import clock
from apps.upi import selectors
from apps.upi.timer_models import Timer, TimerRule

# Every wait of a hot path reads a timer, so a process remembers them for so long.
KNOWN_SECONDS = 60.0


def seconds(timer: Timer) -> float:
    """
    Return the seconds of a timer on this Indian day, already scaled.

    A new row is obeyed within a minute. Settings may fix a timer, for development and tests only.
    """
    fixed: float | None = settings.UPI_TIMERS_FIXED.get(timer)
    if fixed is not None:
        return fixed
    rule = _rules(clock.business_date(clock.now()), int(time.monotonic() // KNOWN_SECONDS))[timer]
    scale = settings.UPI_TIMER_SCALE if rule.is_scaled else 1
    return float(rule.seconds * scale)


def span(timer: Timer) -> dt.timedelta:
    """Return the same as a span of time."""
    return dt.timedelta(seconds=seconds(timer))


def forget() -> None:
    """Read the rows again at the next question."""
    _rules.cache_clear()


@functools.lru_cache(maxsize=1)
def _rules(date: dt.date, _window: int) -> dict[str, TimerRule]:
    return {rule.timer: rule for rule in selectors.timer_rules(on=date)}
