"""Payments made from links: what the link asks for, or nothing."""

import pytest

from apps.payments.models import Transaction
from tests.api.fingerprint import nothing_written
from tests.api.links import APP_RESOLVE, link_of, pay, post, resolve
from tests.api.people import BLOCK, enrol_person, new_transaction_id, open_shop
from tests.api.test_orders import refused

pytestmark = pytest.mark.django_db
PAYMENTS = "/app/v1/payments"


@pytest.fixture
def asha():
    person = enrol_person()
    person.vpa = "asha.links@exbank"
    body = {"address": person.vpa, "account": person.account_id}
    assert post(person, "/app/v1/vpas", body).status_code == 201
    return person


def order_from(person, payment, **changes):
    members = {
        "txn_id": new_transaction_id(),
        "account": person.account_id,
        "payer_vpa": person.vpa,
        "pin_block": BLOCK,
        **payment,
        **changes,
    }
    return {name: value for name, value in members.items() if value is not None}


def send(person, body, key="k-1"):
    return post(person, PAYMENTS, body, **{"Idempotency-Key": key})


def test_what_a_scan_shows_is_paid(asha):
    link = link_of(open_shop(), reference="INV-1")
    payment = resolve(asha, link, APP_RESOLVE).json()["payment"]

    answer = send(asha, order_from(asha, payment))

    row = Transaction.objects.get()
    assert answer.status_code == 202
    assert (row.reference, row.initiation_mode, row.amount_paise) == ("INV-1", "05", 49900)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("payee_vpa", "other@exbank"),
        ("amount", 49899),
        ("amount", 49901),
        ("ref_id", "INV-2"),
        ("ref_id", None),
        ("initiation_mode", "00"),
        ("initiation_mode", None),
        ("purpose", "01"),
    ],
)
def test_a_payment_that_its_link_does_not_ask_for_is_refused(asha, member, value):
    """Q12: also another open order of the same shop."""
    shop = open_shop()
    shop.order(reference="INV-2")
    link = link_of(shop, reference="INV-1")
    payment = resolve(asha, link, APP_RESOLVE).json()["payment"]

    with nothing_written():
        answer = send(asha, order_from(asha, payment, **{member: value}))

    assert refused(answer) == (422, "link_differs")
    assert answer.json()["field"] == member


def test_an_open_amount_has_bounds(asha):
    """Q06."""
    text = "upi://pay?pa=store@smplbank&pn=Some%20Store&mc=5411&am=10.00&mam=1.00"
    payment = resolve(asha, text, APP_RESOLVE).json()["payment"]

    too_little = send(asha, order_from(asha, payment, amount=99))
    too_much = send(asha, order_from(asha, payment, amount=1001))
    good = send(asha, order_from(asha, payment, amount=500))

    assert refused(too_little) == refused(too_much) == (422, "link_differs")
    assert good.status_code == 202


def test_a_link_that_must_not_be_paid_is_not_paid_by_an_app_that_does_not_care(asha):
    """Q02."""
    link = link_of(open_shop(), reference="INV-1")
    payment = resolve(asha, link, APP_RESOLVE).json()["payment"]
    changed = {"link": link.replace("am=499.00", "am=1.00"), "amount": 100}

    with nothing_written():
        answer = send(asha, order_from(asha, payment, **changed))

    assert refused(answer) == (422, "link_not_payable")
    assert answer.json()["refusals"] == ["bad_signature"]


def test_a_person_is_not_paid_by_intent_with_or_without_a_link(asha):
    ravi = enrol_person("RAVI IYER")
    body = {"address": "ravi.links@exbank", "account": ravi.account_id}
    assert post(ravi, "/app/v1/vpas", body).status_code == 201
    payment = {"payee_vpa": "ravi.links@exbank", "amount": 100, "currency": "INR"}

    with nothing_written():
        answer = send(asha, order_from(asha, payment, initiation_mode="04"))

    assert refused(answer) == (422, "link_not_payable")
    assert answer.json()["refusals"] == ["person_by_intent"]


def test_a_shared_code_keeps_its_limit(asha):
    text = "upi://pay?pa=ravi@smplbank&pn=Ravi"
    payment = resolve(asha, text, APP_RESOLVE, source="image").json()["payment"]

    answer = send(asha, order_from(asha, payment, amount=2_000_01))

    assert refused(answer) == (422, "link_differs")


def test_a_retry_is_answered_though_the_link_is_spent(asha):
    """Q10."""
    shop = open_shop()
    link = link_of(shop, reference="INV-1")
    body = order_from(asha, resolve(asha, link, APP_RESOLVE).json()["payment"])
    first = send(asha, body)
    pay(shop, shop.client.get("/v1/orders").json()["data"][0]["id"])

    again = send(asha, body)
    another = send(asha, {**body, "txn_id": new_transaction_id()}, key="k-2")

    assert (again.status_code, again.json()["txn_id"]) == (200, first.json()["txn_id"])
    assert refused(another) == (409, "already_paid")


@pytest.mark.parametrize(
    ("members", "refusal"),
    [
        ({"link": ""}, (400, "invalid_member")),
        ({"link": 1}, (400, "invalid_member")),
        ({"link": "x" * 2049}, (400, "invalid_member")),
        ({"link": "hello"}, (400, "link_malformed")),
        ({"link": "upi://pay?pa=a@bank&pn=X", "link_source": "fax"}, (400, "invalid_member")),
    ],
)
def test_what_is_no_link_pays_nothing(asha, members, refusal):
    payment = {"payee_vpa": "a@bank", "amount": 100, "currency": "INR", **members}

    with nothing_written():
        answer = send(asha, order_from(asha, payment))

    assert refused(answer) == refusal
