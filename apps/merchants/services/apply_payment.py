"""Pay orders with the money that came in: each order once, each transaction once."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from apps.common import clock, ids
from apps.merchants import selectors
from apps.merchants.contracts import Fulfilment, OrderPayment, Verdict
from apps.merchants.models import Order, OrderFulfilment
from apps.messaging import outbox
from apps.messaging.contracts import Event

EVENT = "merchants.order.paid"

_PAY = """
    UPDATE merchants_order AS o
       SET state = 'PAID', paid_at = paid.paid_at, transaction_id = paid.txn_id, rrn = paid.rrn
      FROM unnest(%s::uuid[], %s::timestamptz[], %s::text[], %s::text[])
           AS paid (id, paid_at, txn_id, rrn)
     WHERE o.id = paid.id
"""


def apply_payments(payments: Sequence[OrderPayment]) -> list[Fulfilment]:
    """
    Judge what each payment does for the order it names, in the caller's transaction.

    Called at the first of CREDIT POSTED and PAYEE_PSP CONFIRMED, and safe to call at both: a
    transaction is judged once, its repeat gets the first verdict with `is_repeat`. The answers
    are in the order of the payments. A batch costs one statement when it names no order, and six
    when it does, however many: a merchant's rush is as cheap as one sale. The caller holds its
    legs and ledger accounts; orders are locked after them, by key.
    """
    assert connection.in_atomic_block, "an order is paid in the transaction that moves the money"
    named = {(payment.payee_vpa, payment.ref_id) for payment in payments if payment.ref_id}
    orders = selectors.lock_orders(sorted(named)) if named else {}
    if not orders:
        return [_none(payment) for payment in payments]
    earlier = selectors.fulfilments([payment.txn_id for payment in payments])
    fresh: dict[str, OrderFulfilment] = {}
    answers = []
    for payment in payments:
        known = earlier.get(payment.txn_id) or fresh.get(payment.txn_id)
        order = orders.get((payment.payee_vpa, payment.ref_id))
        if known is not None:
            answers.append(_answer(known, is_repeat=True))
        elif order is None:
            answers.append(_none(payment))
        else:
            fulfilment = _judge(payment, order)
            fresh[payment.txn_id] = fulfilment
            answers.append(_answer(fulfilment, is_repeat=False))
    _write(list(fresh.values()))
    return answers


def _judge(payment: OrderPayment, order: Order) -> OrderFulfilment:
    verdict = _verdict(payment, order)
    if verdict == Verdict.PAID:
        # The next payment of this batch for the same order must see it.
        order.state = Order.State.PAID
    return OrderFulfilment(
        transaction_id=payment.txn_id,
        order=order,
        verdict=verdict,
        amount_paise=payment.amount.paise,
        rrn=payment.rrn,
        paid_at=payment.paid_at,
    )


def _verdict(payment: OrderPayment, order: Order) -> Verdict:
    if payment.amount.paise != order.amount_paise:
        return Verdict.AMOUNT_DIFFERS
    if order.state == Order.State.PAID:
        return Verdict.DUPLICATE
    if payment.paid_at > order.expires_at:
        return Verdict.EXPIRED
    return Verdict.PAID


def _write(fulfilments: Sequence[OrderFulfilment]) -> None:
    OrderFulfilment.objects.bulk_create(fulfilments)
    paid = [row for row in fulfilments if row.verdict == Verdict.PAID]
    if not paid:
        return
    columns: list[Any] = [
        [row.order_id for row in paid],
        [row.paid_at for row in paid],
        [row.transaction_id for row in paid],
        [row.rrn for row in paid],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_PAY, columns)
    outbox.publish([_event(row) for row in paid])


def _event(fulfilment: OrderFulfilment) -> Event:
    order = fulfilment.order
    return Event(
        type=EVENT,
        subject=fulfilment.transaction_id,
        data={
            "order_id": ids.public_id("ord", order.pk),
            "merchant_id": ids.public_id("mer", order.merchant_id),
            "reference": order.reference,
            "amount_paise": order.amount_paise,
            "transaction_id": fulfilment.transaction_id,
            "rrn": fulfilment.rrn,
            "paid_at": clock.iso(fulfilment.paid_at),
        },
    )


def _answer(fulfilment: OrderFulfilment, *, is_repeat: bool) -> Fulfilment:
    return Fulfilment(
        txn_id=fulfilment.transaction_id,
        verdict=Verdict(fulfilment.verdict),
        is_repeat=is_repeat,
        order_id=fulfilment.order_id,
    )


def _none(payment: OrderPayment) -> Fulfilment:
    return Fulfilment(txn_id=payment.txn_id, verdict=Verdict.NONE, is_repeat=False, order_id=None)
