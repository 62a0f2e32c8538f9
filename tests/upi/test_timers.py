"""Timers are dated rows: the day decides, the scale shortens, and no two rows hold at once."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine
from django.db import IntegrityError, transaction

from apps.upi import timers
from apps.upi.timer_models import Timer, TimerRule

LAST = dt.date(2026, 12, 1)
BEFORE = dt.datetime(2026, 11, 30, 18, 29, tzinfo=dt.UTC)
AFTER = dt.datetime(2026, 11, 30, 18, 31, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def rows(db, settings):
    settings.UPI_TIMERS_FIXED = {}
    settings.UPI_TIMER_SCALE = Decimal(1)
    timers.forget()
    yield
    timers.forget()


def test_every_timer_has_a_row_today():
    assert {timer.value for timer in Timer} == {
        timer.value for timer in Timer if timers.seconds(timer) > 0
    }


def test_a_row_holds_from_its_indian_day_on():
    TimerRule.objects.filter(timer=Timer.HEARTBEAT).update(valid_to_date=LAST)
    TimerRule.objects.create(
        timer=Timer.HEARTBEAT,
        seconds=Decimal(120),
        is_scaled=True,
        valid_from_date=LAST,
        source="a circular",
    )

    with time_machine.travel(BEFORE, tick=False):
        assert timers.seconds(Timer.HEARTBEAT) == 90
    with time_machine.travel(AFTER, tick=False):
        assert timers.seconds(Timer.HEARTBEAT) == 120


def test_the_scale_shortens_only_what_waits_for_others(settings):
    settings.UPI_TIMER_SCALE = Decimal("0.1")

    assert timers.span(Timer.ANSWER) == dt.timedelta(seconds=1.2)
    assert timers.seconds(Timer.MESSAGE_AGE) == 300


def test_a_process_remembers_the_rows(django_assert_num_queries):
    timers.seconds(Timer.ANSWER)

    with django_assert_num_queries(0):
        assert timers.seconds(Timer.REVERSAL_ANSWER) == 8


def test_two_rows_of_a_timer_never_hold_on_one_day():
    with pytest.raises(IntegrityError), transaction.atomic():
        TimerRule.objects.create(
            timer=Timer.ANSWER,
            seconds=Decimal(1),
            is_scaled=True,
            valid_from_date=LAST,
            source="a circular",
        )


def test_a_timer_without_seconds_is_refused():
    with pytest.raises(IntegrityError), transaction.atomic():
        TimerRule.objects.filter(timer=Timer.ANSWER).update(seconds=0)
