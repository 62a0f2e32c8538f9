"""Celery tasks of this app; each is safe to lose and safe to repeat."""

from celery import shared_task

from apps.common import clock
from apps.messaging import wakeups
from apps.vpa.services import verify


@shared_task(name=verify.STEP, acks_late=True, ignore_result=True)
def send_verifications() -> None:
    """Ask other PSPs whose their addresses are."""
    wakeups.drain(verify.STEP, lambda: verify.advance_due(at=clock.now()))
