"""Fulfil the merchants' orders that payments are for, once, and owe back what was paid twice."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection

from apps.common import clock, ids
from apps.merchants.contracts import OrderPayment, Verdict
from apps.merchants.services.apply_payment import apply_payments
from apps.payments.contracts import Job

log = structlog.get_logger(__name__)

_OPEN_REFUNDS = """
    INSERT INTO payments_refund (id, transaction_id, order_id, amount_paise, reason)
    SELECT id, transaction_id, order_id, amount_paise, 'DUPLICATE'
      FROM unnest(%s::uuid[], %s::text[], %s::uuid[], %s::bigint[])
           AS refund (id, transaction_id, order_id, amount_paise)
    ON CONFLICT (transaction_id) DO NOTHING
"""


def pay_orders(jobs: Sequence[Job]) -> None:
    """
    Apply payments to the orders they name, in the transaction that makes them certain.

    Called at the first of CREDIT POSTED and PAYEE_PSP CONFIRMED, and again at the other: what a
    transaction id has done once it does not do again. A second payment of a paid order opens its
    refund here and now; sending refunds is a later capability.
    """
    ours = [job for job in jobs if _is_ours(job)]
    if not ours:
        return
    at = clock.now()
    fulfilments = apply_payments([_payment(job, at=at) for job in ours])
    doubled = [
        (job, fulfilment.order_id)
        for job, fulfilment in zip(ours, fulfilments, strict=True)
        if fulfilment.verdict is Verdict.DUPLICATE and not fulfilment.is_repeat
    ]
    if doubled:
        _open_refunds(doubled)


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


def _open_refunds(doubled: Sequence[tuple[Job, UUID | None]]) -> None:
    columns: list[Any] = [
        [ids.uuid7() for _ in doubled],
        [job.transaction_id for job, _ in doubled],
        [order_id for _, order_id in doubled],
        [job.transaction.amount.paise for job, _ in doubled],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_REFUNDS, columns)
    log.info("refunds_opened", refunds=len(doubled))
