"""Orders paid by money that came in: each order once, each transaction once, at a flat price."""

import datetime as dt
from functools import partial

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.common import clock, ids
from apps.common.money import Money
from apps.merchants.contracts import OrderPayment, Verdict
from apps.merchants.models import Order, OrderFulfilment
from apps.merchants.services.apply_payment import apply_payments
from apps.messaging.models import OutboxEvent
from tests.api.people import enrol_person, new_transaction_id, open_shop
from tests.api.race import at_once


def order_of(shop, **members):
    return Order.objects.get(pk=ids.parse_public_id("ord", shop.order(**members).json()["id"]))


def payment_of(shop, order, **changes):
    members = {
        "txn_id": new_transaction_id(),
        "payee_vpa": shop.address,
        "ref_id": order.reference,
        "amount": Money(order.amount_paise),
        "paid_at": clock.now(),
        "rrn": "532610000123",
        **changes,
    }
    return OrderPayment(**members)


def apply(*payments):
    with transaction.atomic():
        return apply_payments(payments)


def verdicts(*payments):
    return [fulfilment.verdict for fulfilment in apply(*payments)]


@pytest.mark.django_db
def test_a_payment_pays_the_order_it_names_and_says_so_once():
    shop = open_shop()
    order = order_of(shop)
    payment = payment_of(shop, order)

    (fulfilment,) = apply(payment)

    order.refresh_from_db()
    assert (fulfilment.verdict, fulfilment.is_repeat) == (Verdict.PAID, False)
    assert fulfilment.order_id == order.pk
    assert (order.state, order.transaction_id, order.rrn) == (
        "PAID",
        payment.txn_id,
        payment.rrn,
    )
    assert order.paid_at == payment.paid_at
    event = OutboxEvent.objects.get()
    assert (event.type, event.subject) == ("merchants.order.paid", payment.txn_id)
    assert event.data == {
        "order_id": str(order),
        "merchant_id": str(shop.merchant),
        "reference": order.reference,
        "amount_paise": 49900,
        "transaction_id": payment.txn_id,
        "rrn": payment.rrn,
        "paid_at": clock.iso(payment.paid_at),
    }
    shown = shop.client.get(f"/v1/orders/{order}").json()
    assert (shown["status"], shown["upi"]) == (
        "paid",
        {"txn_id": payment.txn_id, "rrn": payment.rrn},
    )


@pytest.mark.django_db
def test_a_transaction_is_judged_once_however_often_it_comes():
    shop = open_shop()
    payment = payment_of(shop, order_of(shop))
    apply(payment)

    (repeat,) = apply(payment)

    assert (repeat.verdict, repeat.is_repeat) == (Verdict.PAID, True)
    assert OutboxEvent.objects.count() == 1
    assert OrderFulfilment.objects.count() == 1


@pytest.mark.django_db
def test_a_second_payment_of_an_order_is_a_duplicate():
    shop = open_shop()
    order = order_of(shop)
    first, second = payment_of(shop, order), payment_of(shop, order)
    apply(first)

    (fulfilment,) = apply(second)
    (repeat,) = apply(second)

    order.refresh_from_db()
    assert (fulfilment.verdict, fulfilment.is_repeat) == (Verdict.DUPLICATE, False)
    assert (repeat.verdict, repeat.is_repeat) == (Verdict.DUPLICATE, True)
    assert order.transaction_id == first.txn_id


@pytest.mark.django_db
def test_within_a_batch_the_first_pays():
    shop = open_shop()
    order = order_of(shop)
    payments = [payment_of(shop, order) for _ in range(3)]

    assert verdicts(*payments) == [Verdict.PAID, Verdict.DUPLICATE, Verdict.DUPLICATE]
    assert Order.objects.get().transaction_id == payments[0].txn_id


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("_case", "changes", "verdict"),
    [
        ("a paisa less",         {"amount": Money(49899)},              Verdict.AMOUNT_DIFFERS),
        ("a paisa more",         {"amount": Money(49901)},              Verdict.AMOUNT_DIFFERS),
        ("too late",             {"paid_at": dt.timedelta(minutes=31)}, Verdict.EXPIRED),
        ("in time",              {"paid_at": dt.timedelta(minutes=29)}, Verdict.PAID),
        ("an unknown reference", {"ref_id": "INV-0"},                   Verdict.NONE),
        ("another case",         {"ref_id": "lower"},                   Verdict.NONE),
        ("no reference",         {"ref_id": ""},                        Verdict.NONE),
        ("an unknown address",   {"payee_vpa": "nobody@exbank"},        Verdict.NONE),
    ],
)  # fmt: skip
def test_a_payment_is_judged_by_address_reference_amount_and_time(_case, changes, verdict):
    shop = open_shop()
    order = order_of(shop, reference="Inv-1")
    if "paid_at" in changes:
        changes = {"paid_at": order.created_at + changes["paid_at"]}
    if changes.get("ref_id") == "lower":
        changes = {"ref_id": order.reference.lower()}

    assert verdicts(payment_of(shop, order, **changes)) == [verdict]

    paid = verdict == Verdict.PAID
    assert Order.objects.get().state == ("PAID" if paid else "CREATED")
    assert OutboxEvent.objects.count() == int(paid)


@pytest.mark.django_db
def test_a_persons_address_names_no_order():
    shop = open_shop()
    order = order_of(shop)
    person = enrol_person()
    body = {"address": "asha@exbank", "account": person.account_id}
    person.client.post("/app/v1/vpas", body, format="json")

    assert verdicts(payment_of(shop, order, payee_vpa="asha@exbank")) == [Verdict.NONE]


@pytest.mark.django_db
def test_a_test_order_is_never_paid_by_real_money():
    shop = open_shop(is_live=False)

    assert verdicts(payment_of(shop, order_of(shop))) == [Verdict.NONE]


@pytest.mark.django_db
def test_each_payment_of_a_mixed_batch_gets_its_own_answer_in_its_place():
    shop, other = open_shop(), open_shop()
    order, theirs = order_of(shop, reference="SAME"), order_of(other, reference="SAME")
    batch = [
        payment_of(other, theirs),
        payment_of(shop, order, ref_id="INV-0"),
        payment_of(shop, order),
        payment_of(shop, order, amount=Money(1)),
    ]

    assert verdicts(*batch) == [
        Verdict.PAID,
        Verdict.NONE,
        Verdict.PAID,
        Verdict.AMOUNT_DIFFERS,
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("size", [1, 50])
def test_a_rush_at_one_merchant_costs_as_few_statements_as_one_sale(size):
    shop = open_shop()
    payments = [payment_of(shop, order_of(shop)) for _ in range(size)]

    with transaction.atomic(), CaptureQueriesContext(connection) as captured:
        fulfilments = apply_payments(payments)

    assert {each.verdict for each in fulfilments} == {Verdict.PAID}
    assert len([q for q in captured if "SAVEPOINT" not in q["sql"]]) == 6


@pytest.mark.django_db
def test_a_batch_without_orders_costs_one_statement():
    shop = open_shop()
    payments = [payment_of(shop, order_of(shop), ref_id=f"NONE-{place}") for place in range(50)]

    with transaction.atomic(), CaptureQueriesContext(connection) as captured:
        apply_payments(payments)

    assert len(captured) == 1


def test_the_caller_holds_the_transaction(committed):
    shop = open_shop()
    payment = payment_of(shop, order_of(shop))

    with pytest.raises(AssertionError):
        apply_payments([payment])


def test_a_payment_undone_has_paid_nothing(committed):
    shop = open_shop()
    payment = payment_of(shop, order_of(shop))

    with transaction.atomic():
        apply_payments([payment])
        transaction.set_rollback(True)

    assert Order.objects.get().state == "CREATED"
    assert not OutboxEvent.objects.exists()
    assert verdicts(payment) == [Verdict.PAID]


def test_of_many_payments_at_once_exactly_one_pays(committed):
    shop = open_shop()
    order = order_of(shop)
    payments = [payment_of(shop, order) for _ in range(8)]

    seen = [verdict for (verdict,) in at_once([partial(verdicts, one) for one in payments])]

    assert sorted(seen) == [*[Verdict.DUPLICATE] * 7, Verdict.PAID]
    assert OutboxEvent.objects.count() == 1


def test_the_two_who_tell_of_one_transaction_agree(committed):
    """CREDIT POSTED and PAYEE_PSP CONFIRMED at the same moment."""
    shop = open_shop()
    payment = payment_of(shop, order_of(shop))

    seen = [fulfilment for (fulfilment,) in at_once([partial(apply, payment)] * 2)]

    assert [each.verdict for each in seen] == [Verdict.PAID] * 2
    assert sorted(each.is_repeat for each in seen) == [False, True]
    assert OutboxEvent.objects.count() == 1
