"""Wake-ups of settlement: safe to lose and to repeat."""

from celery import shared_task

from apps.common import clock
from apps.messaging import wakeups
from apps.settlement.services import host_days

# A day of a million lines is taken in minutes, in one transaction.
TIME_LIMIT_SECONDS = 1800


@shared_task(
    name="settlement.host_files",
    acks_late=True,
    ignore_result=True,
    time_limit=TIME_LIMIT_SECONDS,
)
def take_host_files() -> None:
    """Take the core-banking host's files of the days that are over."""
    wakeups.drain("settlement.host_files", lambda: host_days.take_due_days(now=clock.now()))
