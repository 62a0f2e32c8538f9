"""Fulfil the merchants' orders that payments are for, once, and owe back what was paid twice."""

import datetime as dt
from collections.abc import Sequence

from django.conf import settings

from apps.common import clock
from apps.merchants.contracts import OrderPayment, Verdict
from apps.merchants.services.apply_payment import apply_payments
from apps.payments.contracts import Job
from apps.payments.services import refunds
from apps.payments.services.refunds import Owed

# What a merchant got and may not keep: a second payment of its order, and one that came too late.
_OWED_BACK = frozenset({Verdict.DUPLICATE, Verdict.EXPIRED})


def pay_orders(jobs: Sequence[Job]) -> None:
    """
    Apply payments to the orders they name, in the transaction that makes them certain.

    Called at the first of CREDIT POSTED and PAYEE_PSP CONFIRMED, and again at the other: what a
    transaction id has done once it does not do again. What a merchant may not keep is owed from
    here on: its refund is opened now, and sent when the payment is confirmed.
    """
    ours = [job for job in jobs if _is_ours(job) and not job.is_refund]
    if not ours:
        return
    at = clock.now()
    fulfilments = apply_payments([_payment(job, at=at) for job in ours])
    refunds.open_owed(
        [
            Owed(job.transaction, fulfilment.order_id, fulfilment.verdict)
            for job, fulfilment in zip(ours, fulfilments, strict=True)
            if fulfilment.verdict in _OWED_BACK and not fulfilment.is_repeat
        ]
    )


def _is_ours(job: Job) -> bool:
    return job.transaction.payee_address.rpartition("@")[2] in settings.UPI_HANDLES


def _payment(job: Job, *, at: dt.datetime) -> OrderPayment:
    facts = job.transaction
    return OrderPayment(
        txn_id=facts.id,
        payee_vpa=facts.payee_address,
        ref_id=facts.reference,
        amount=facts.amount,
        paid_at=at,
        rrn=facts.rrn,
    )
