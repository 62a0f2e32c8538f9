"""How long we wait for others, and others for us: one dated row a timer."""

from enum import StrEnum
from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q

from apps.upi.budget_models import DateRange


class Timer(StrEnum):
    """What is waited for; docs/TIMERS.md says why."""

    LEG_POSTING = "LEG_POSTING"
    ANSWER = "ANSWER"
    REVERSAL_ANSWER = "REVERSAL_ANSWER"
    ANSWER_RESEND_FIRST = "ANSWER_RESEND_FIRST"
    ANSWER_RESEND_SECOND = "ANSWER_RESEND_SECOND"
    CHECK_FIRST_AFTER = "CHECK_FIRST_AFTER"
    CHECK_NOT_BEFORE = "CHECK_NOT_BEFORE"
    CHECK_WINDOW = "CHECK_WINDOW"
    PIN_BLOCK_LIFE = "PIN_BLOCK_LIFE"
    MESSAGE_AGE = "MESSAGE_AGE"
    HEARTBEAT = "HEARTBEAT"
    ACK_CONNECT = "ACK_CONNECT"
    ACK_READ = "ACK_READ"
    ADDRESS_ANSWER = "ADDRESS_ANSWER"
    ACCOUNT_ANSWER = "ACCOUNT_ANSWER"
    PIN_LOCK = "PIN_LOCK"
    OTP_LIFE = "OTP_LIFE"


class TimerRule(models.Model):
    """
    How many seconds a timer has, and on which days.

    It holds from `valid_from_date` up to, and without, `valid_to_date`. Rows are added and ended,
    never edited. A scaled one is shortened by `UPI_TIMER_SCALE`, in tests and certification.
    """

    timer = models.CharField(max_length=24, choices=[(timer.value, timer.value) for timer in Timer])
    seconds = models.DecimalField(max_digits=9, decimal_places=3)
    is_scaled = models.BooleanField()
    valid_from_date = models.DateField()
    valid_to_date = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=200)

    class Meta:
        verbose_name = "timer"
        db_table = "upi_timer_rule"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="timer_rule_timer_is_known",
                condition=Q(timer__in=[timer.value for timer in Timer]),
            ),
            models.CheckConstraint(
                name="timer_rule_seconds_are_positive", condition=Q(seconds__gt=0)
            ),
            # One that was replaced before it held ends on the day it begins.
            models.CheckConstraint(
                name="timer_rule_ends_not_before_it_begins",
                condition=Q(valid_to_date__isnull=True)
                | Q(valid_to_date__gte=F("valid_from_date")),
            ),
            # One constraint a timer, because equality inside a GiST index needs an extension.
            *(
                ExclusionConstraint(
                    name=f"timer_rule_{timer.value.lower()}_does_not_overlap",
                    expressions=[
                        (DateRange("valid_from_date", "valid_to_date"), RangeOperators.OVERLAPS)
                    ],
                    condition=Q(timer=timer.value),
                )
                for timer in Timer
            ),
        ]

    def __str__(self) -> str:
        return f"{self.timer} from {self.valid_from_date}"
