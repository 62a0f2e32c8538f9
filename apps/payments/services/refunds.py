"""Give money of a merchant back to who paid it: bounded, sent once, told when it has ended."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from apps.common import clock, ids
from apps.common.errors import NotFoundError
from apps.common.faults import fault_point
from apps.common.money import Money
from apps.merchants import selectors as merchants
from apps.merchants.contracts import Verdict
from apps.merchants.models import Order
from apps.messaging import idempotency, outbox, wakeups
from apps.payments import events, selectors
from apps.payments.contracts import Job, NewLeg, Payment, TransactionFacts
from apps.payments.errors import (
    PaymentNotRefundableError,
    RefundExceedsPaymentError,
    RefundTooLateError,
)
from apps.payments.models import Refund, RefundBound
from apps.payments.services.accept import STEP, RequestKey, new_rrn
from apps.payments.services.opening import open_leg
from apps.payments.states import Kind, PublicStatus, Role, State, public_status
from apps.vpa.selectors import resolved_of

log = structlog.get_logger(__name__)

REQUESTED = "REQUESTED"
NOTE = "Refund"
_ENDS = {State.SUCCESS: "SUCCEEDED", State.FAILED: "FAILED", State.DEEMED: "DEEMED"}

_OPEN_BOUND = """
    INSERT INTO payments_refundbound (transaction_id, amount_paise, refunded_paise)
    VALUES (%s, %s, 0) ON CONFLICT DO NOTHING
"""
_IS_OWED = """
    SELECT FROM payments_refund WHERE transaction_id = ANY(%s) AND state = 'OPENED' LIMIT 1
"""

_GIVE_BACK = """
    UPDATE payments_refundbound AS bound
       SET refunded_paise = bound.refunded_paise - failed.paise
      FROM (SELECT transaction_id, sum(amount_paise) AS paise FROM payments_refund
             WHERE leg_id = ANY(%s) GROUP BY transaction_id) AS failed
     WHERE bound.transaction_id = failed.transaction_id
"""
_ORIGINALS = f"""
    SELECT refund.leg_id, {selectors.TRANSACTION_COLUMNS}
      FROM payments_refund AS refund
      JOIN payments_transaction AS transaction ON transaction.id = refund.transaction_id
     WHERE refund.leg_id = ANY(%s)
"""  # noqa: S608 - column names of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """What a merchant asks: give back so much of a payment; None is all that is left of it."""

    merchant_id: UUID
    payment: Payment
    amount: Money | None
    reference: str


@dataclass(frozen=True, slots=True)
class TakenRefund:
    """The refund, and whether this very request was answered before."""

    refund: Refund
    is_replay: bool


@dataclass(frozen=True, slots=True)
class Owed:
    """A payment that its merchant may not keep, and why."""

    payment: TransactionFacts
    order_id: UUID | None
    verdict: Verdict


def request_refund(request: RefundRequest, *, key: RequestKey, at: dt.datetime) -> TakenRefund:
    """
    Take a refund on, or return the one that this request made before.

    Raises PaymentNotRefundableError, RefundTooLateError, RefundExceedsPaymentError and the refusals
    of idempotency; then nothing is written.
    """
    known = idempotency.lookup(client=key.client, key=key.key, fingerprint=key.fingerprint)
    if known is not None:
        return TakenRefund(refund_of(request.merchant_id, UUID(known.reference)), is_replay=True)
    refund_id = ids.uuid7()
    with transaction.atomic(durable=True):
        known = idempotency.remember(
            client=key.client, key=key.key, fingerprint=key.fingerprint, reference=str(refund_id)
        )
        if known is None:
            _make(request, refund_id, at=at)
        fault_point("refund.accepting")
    fault_point("refund.accepted")
    found = refund_of(request.merchant_id, UUID(known.reference) if known else refund_id)
    return TakenRefund(found, is_replay=known is not None)


def refund_of(merchant_id: UUID, refund_id: UUID | None) -> Refund:
    """Return one of the merchant's refunds. Raises NotFoundError, also for another's."""
    if refund_id is None:
        raise NotFoundError
    found = Refund.objects.filter(pk=refund_id, merchant_id=merchant_id).first()
    if found is None:
        raise NotFoundError
    return found


def _make(request: RefundRequest, refund_id: UUID, *, at: dt.datetime) -> None:
    paid = request.payment
    if public_status(paid.state)[0] is not PublicStatus.SUCCEEDED:
        raise PaymentNotRefundableError
    if at - paid.created_at > dt.timedelta(days=settings.UPI_REFUND_DAYS_MAX):
        raise RefundTooLateError
    amount = _take(paid.transaction, request.amount)
    refund = Refund.objects.create(
        id=refund_id,
        transaction_id=paid.transaction.id,
        merchant_id=request.merchant_id,
        amount_paise=amount.paise,
        reason=REQUESTED,
        reference=request.reference,
    )
    _begin(refund, paid.transaction, at=at)


def _take(paid: TransactionFacts, asked: Money | None) -> Money:
    """
    Take of what may still go back, and return how much.

    The row of the bound is locked, so that of many requests at once those that fit get it; that
    they never get more is a constraint.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_BOUND, [paid.id, paid.amount.paise])
    bound = RefundBound.objects.select_for_update(no_key=True).get(pk=paid.id)
    left = bound.amount_paise - bound.refunded_paise
    wanted = left if asked is None else asked.paise
    if not 0 < wanted <= left:
        raise RefundExceedsPaymentError(field="amount")
    RefundBound.objects.filter(pk=paid.id).update(refunded_paise=bound.refunded_paise + wanted)
    return Money(wanted)


def _begin(refund: Refund, paid: TransactionFacts, *, at: dt.datetime) -> None:
    """Write the leg that sends a refund: a transaction of its own, from the merchant's account."""
    merchant = merchants.merchant(refund.merchant_id)
    account = resolved_of(merchant.vpa).account
    facts = TransactionFacts(
        id=ids.new_upi_id(settings.UPI_ID_PREFIX),
        rrn=new_rrn(at),
        amount=refund.amount,
        payer_address=paid.payee_address,
        payer_name=merchant.name,
        payer_type=merchant.vpa.kind,
        payer_code=merchant.vpa.mcc,
        payee_address=paid.payer_address,
        payee_name=paid.payer_name,
        payee_type=paid.payer_type,
        payee_code=paid.payer_code,
        note=NOTE,
        purpose="00",
        initiation_mode="00",
        reference=refund.reference,
        reference_url="",
        reference_category="00",
        initiated_at=at,
    )
    leg = NewLeg(
        role=Role.PAYER_PSP,
        kind=Kind.REFUND,
        state=State.CREATED,
        account_number=account.account_number,
        account_type=account.account_type,
        ifsc=account.ifsc,
        owner_id=refund.merchant_id,
    )
    opened = open_leg(facts, leg)
    assert opened.is_new, "the transaction id was minted just now"
    refund.leg_id, refund.refund_transaction_id, refund.state = opened.id, facts.id, "SENT"
    refund.save(update_fields=["leg_id", "refund_transaction_id", "state"])
    wakeups.wake_on_commit(STEP)


def open_owed(owed: Sequence[Owed]) -> None:
    """Write down what merchants owe back, in the transaction in which they got it."""
    for each in owed:
        paid = each.payment
        assert each.order_id is not None, "only an order makes a payment one to give back"
        order = Order.objects.get(pk=each.order_id)
        with connection.cursor() as cursor:
            cursor.execute(_OPEN_BOUND, [paid.id, paid.amount.paise])
        bound = RefundBound.objects.select_for_update(no_key=True).get(pk=paid.id)
        left = bound.amount_paise - bound.refunded_paise
        if not left:
            continue
        RefundBound.objects.filter(pk=paid.id).update(refunded_paise=bound.amount_paise)
        Refund.objects.create(
            transaction_id=paid.id,
            merchant_id=order.merchant_id,
            order_id=order.pk,
            amount_paise=left,
            reason=each.verdict,
        )
        log.info("refund_owed", transaction_id=paid.id, reason=each.verdict)


def begin_owed(confirmed: Sequence[Job]) -> None:
    """Send what is owed of payments, now that the switch calls them done."""
    if not confirmed:
        return
    facts = {job.transaction_id: job.transaction for job in confirmed}
    # Asked at every confirmation, and nearly never true.
    with connection.cursor() as cursor:
        cursor.execute(_IS_OWED, [list(facts)])
        if cursor.fetchone() is None:
            return
    opened = Refund.objects.select_for_update(no_key=True).filter(
        transaction_id__in=list(facts), state="OPENED"
    )
    for refund in opened.order_by("pk"):
        _begin(refund, facts[refund.transaction_id], at=clock.now())


def end(ends: Sequence[tuple[Job, State, str]]) -> None:
    """
    Write what refunds came to, and tell it, in the transaction that moved their legs.

    A failed one gives its share of the bound back; one that is unknown keeps it.
    """
    results = {job.id: (state, code) for job, state, code in ends if state in _ENDS}
    if not results:
        return
    refunds = list(Refund.objects.filter(leg_id__in=list(results)).order_by("pk"))
    for refund in refunds:
        assert refund.leg_id is not None, "it was found by its leg"
        state, code = results[refund.leg_id]
        Refund.objects.filter(pk=refund.pk).update(state=_ENDS[state], code=code, ended_at=Now())
        refund.state, refund.code = _ENDS[state], code
    failed = [leg_id for leg_id, (state, _) in results.items() if state is State.FAILED]
    if failed:
        with connection.cursor() as cursor:
            cursor.execute(_GIVE_BACK, [failed])
    rrns = {job.id: job.transaction.rrn for job, _, _ in ends}
    outbox.publish(
        [
            events.refund_completed(refund, rrn=rrns[refund.leg_id])
            for refund in refunds
            if refund.leg_id is not None
        ]
    )


def originals_of(leg_ids: Sequence[UUID]) -> Mapping[UUID, TransactionFacts]:
    """Return the payments that the refunds of these legs give back, by leg."""
    if not leg_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_ORIGINALS, [list(leg_ids)])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return {row[0]: selectors.read_facts(row[1:]) for row in rows}


def refunded_of(transaction_ids: Sequence[str]) -> Mapping[str, Money]:
    """Return how much of each payment went back, or is on its way."""
    bounds = RefundBound.objects.filter(pk__in=list(transaction_ids))
    return {bound.pk: Money(bound.refunded_paise) for bound in bounds}
