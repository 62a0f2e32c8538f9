"""Work of the UPI wire that a wake-up asks for."""

from celery import shared_task
from django.conf import settings

from apps.messaging import wakeups
from apps.upi.services import deliver, pull


@shared_task(name="upi.deliver", acks_late=True, ignore_result=True)
def deliver_due_answers() -> None:
    """Send what is due. Safe to lose and safe to repeat: the row is the truth."""
    wakeups.drain(
        "upi.deliver",
        deliver.deliver_due,
        take_new=deliver.deliver_new,
        leaves_nothing_below=settings.CLAIM_SEND_MAX,
    )


@shared_task(name=pull.STEP, acks_late=True, ignore_result=True)
def pull_due_lists() -> None:
    """Ask the switch for the lists of its directory that are due."""
    wakeups.drain(pull.STEP, pull.pull_due)
