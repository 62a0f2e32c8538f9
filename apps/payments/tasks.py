"""Celery tasks of the engine: a wake-up for each role. Safe to lose and safe to repeat."""

from celery import shared_task
from django.conf import settings

from apps.messaging import wakeups
from apps.payments.services.advance import rounds
from apps.payments.states import Role


@shared_task(name="payments.payer_psp", acks_late=True, ignore_result=True)
def drain_payer_psp() -> None:
    """Send our customers' payments, and ask after those that nobody has answered."""
    wakeups.drain(
        "payments.payer_psp",
        rounds(Role.PAYER_PSP),
        leaves_nothing_below=settings.CLAIM_SEND_MAX,
    )


@shared_task(name="payments.payee_psp", acks_late=True, ignore_result=True)
def drain_payee_psp() -> None:
    """Say who our addresses are, and ask after payments that nobody has confirmed."""
    wakeups.drain(
        "payments.payee_psp",
        rounds(Role.PAYEE_PSP),
        leaves_nothing_below=settings.CLAIM_SEND_MAX,
    )


@shared_task(name="payments.debit", acks_late=True, ignore_result=True)
def drain_debit() -> None:
    """Verify PINs and debit accounts."""
    wakeups.drain("payments.debit", rounds(Role.DEBIT))


@shared_task(name="payments.credit", acks_late=True, ignore_result=True)
def drain_credit() -> None:
    """Credit accounts."""
    wakeups.drain(
        "payments.credit",
        rounds(Role.CREDIT),
        leaves_nothing_below=settings.CLAIM_SEND_MAX,
    )


@shared_task(name="payments.reversal", acks_late=True, ignore_result=True)
def drain_reversal() -> None:
    """Undo what the switch asks to be undone."""
    wakeups.drain("payments.reversal", rounds(Role.REVERSAL))
