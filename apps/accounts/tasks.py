"""Wake-ups of the issuer: each drains what is due, and is safe to lose and to repeat."""

from celery import shared_task

from apps.accounts.services import credentials, pin
from apps.messaging import wakeups


@shared_task(name="accounts.credentials", acks_late=True, ignore_result=True)
def work_credentials() -> None:
    """Work the requests for OTPs, registrations, changes of PIN and balances that are due."""
    wakeups.drain("accounts.credentials", credentials.work_due)


@shared_task(name="accounts.pins", acks_late=True, ignore_result=True)
def finish_pins() -> None:
    """Verify, for the try alone, the PINs whose exchange was given up."""
    wakeups.drain("accounts.pins", pin.finish_left)
