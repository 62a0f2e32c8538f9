"""Celery tasks of the engine: a wake-up for each role. Safe to lose and safe to repeat."""

from celery import shared_task
from django.conf import settings

from apps.messaging import wakeups
from apps.payments.services.advance import advance, take_new
from apps.payments.states import Role


@shared_task(name="payments.payer_psp", acks_late=True, ignore_result=True)
def drain_payer_psp() -> None:
    """Send our customers' payments, and ask after those that nobody has answered."""
    wakeups.drain(
        "payments.payer_psp",
        lambda: advance(Role.PAYER_PSP),
        take_new=lambda: take_new(Role.PAYER_PSP),
        leaves_nothing_below=settings.CLAIM_SEND_MAX,
    )


@shared_task(name="payments.payee_psp", acks_late=True, ignore_result=True)
def drain_payee_psp() -> None:
    """Say who our addresses are, and ask after payments that nobody has confirmed."""
    wakeups.drain(
        "payments.payee_psp",
        lambda: advance(Role.PAYEE_PSP),
        take_new=lambda: take_new(Role.PAYEE_PSP),
        leaves_nothing_below=settings.CLAIM_SEND_MAX,
    )


@shared_task(name="payments.debit", acks_late=True, ignore_result=True)
def drain_debit() -> None:
    """Verify PINs and debit accounts."""
    wakeups.drain(
        "payments.debit",
        lambda: advance(Role.DEBIT),
        take_new=lambda: take_new(Role.DEBIT),
    )


@shared_task(name="payments.credit", acks_late=True, ignore_result=True)
def drain_credit() -> None:
    """Credit accounts."""
    wakeups.drain(
        "payments.credit",
        lambda: advance(Role.CREDIT),
        take_new=lambda: take_new(Role.CREDIT),
        leaves_nothing_below=settings.CLAIM_SEND_MAX,
    )


@shared_task(name="payments.reversal", acks_late=True, ignore_result=True)
def drain_reversal() -> None:
    """Undo what the switch asks to be undone."""
    wakeups.drain("payments.reversal", lambda: advance(Role.REVERSAL))
