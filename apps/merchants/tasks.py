"""Celery tasks of this app; each is safe to lose and safe to repeat."""

from celery import shared_task

from apps.merchants.services import deliver
from apps.merchants.services.notify import STEP
from apps.messaging import wakeups


@shared_task(name=STEP, acks_late=True, ignore_result=True)
def send_webhooks() -> None:
    """Send the webhooks that are due."""
    wakeups.drain(STEP, deliver.deliver_due)
