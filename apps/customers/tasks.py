"""Celery tasks of this app; each is safe to lose and safe to repeat."""

from celery import shared_task

from apps.common import clock
from apps.customers.services import advance, listing, tokens
from apps.customers.services.accept import STEP
from apps.messaging import wakeups


@shared_task(name=STEP, acks_late=True, ignore_result=True)
def send_requests() -> None:
    """Send what customers asked their banks."""
    wakeups.drain(STEP, lambda: advance.advance_due(at=clock.now()))


@shared_task(name=listing.STEP, acks_late=True, ignore_result=True)
def send_listings() -> None:
    """Ask banks for the accounts of our customers' mobile numbers."""
    wakeups.drain(listing.STEP, lambda: listing.advance_due(at=clock.now()))


@shared_task(name=tokens.STEP, acks_late=True, ignore_result=True)
def send_tokens() -> None:
    """Pass the challenges of phones on to the switch."""
    wakeups.drain(tokens.STEP, lambda: tokens.advance_due(at=clock.now()))
