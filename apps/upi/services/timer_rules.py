"""Change how long a timer is, by an operator's word."""

import datetime as dt
from decimal import Decimal

from apps.common.errors import NotFoundError
from apps.operators.contracts import Author
from apps.operators.services import dated_rules
from apps.upi.errors import TimerOutOfRangeError
from apps.upi.timer_models import Timer, TimerRule

SECONDS_MAX = 7 * 24 * 3600
# Circular OC-214: the switch waits no longer, so nothing that comes later is of use.
_SWITCH_WAITS_SECONDS = {Timer.LEG_POSTING: 15, Timer.ANSWER: 15, Timer.REVERSAL_ANSWER: 10}


def change_timer(timer: Timer, *, seconds: Decimal, begins: dt.date, author: Author) -> None:
    """
    Let a timer have other seconds from a day on.

    Raises TimerOutOfRangeError, NotFoundError (the timer has no row), and the refusals of dated
    rules.
    """
    if not 0 < seconds <= _SWITCH_WAITS_SECONDS.get(timer, SECONDS_MAX):
        raise TimerOutOfRangeError
    key = {"timer": timer.value}
    rows = dated_rules.open_rows(TimerRule, key)
    if not rows:
        raise NotFoundError
    values = {"seconds": seconds, "is_scaled": rows[0].is_scaled}
    dated_rules.change(TimerRule, key=key, values=values, begins=begins, author=author)
