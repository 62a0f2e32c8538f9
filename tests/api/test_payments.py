"""Payments over the app API: what is refused writes nothing, and one key makes one payment."""

import json
from functools import partial

import pytest

from apps.accounts import availability
from apps.common import clock
from apps.customers.models import LinkedAccount
from apps.customers.services import enrol
from apps.messaging.models import IdempotencyKey
from apps.payments.models import Leg, Transaction
from apps.upi.models import PinBlock
from tests.api.bad_bodies import BAD_KEYS, send, spoiling
from tests.api.fingerprint import nothing_written
from tests.api.people import BLOCK, enrol_person, new_transaction_id
from tests.api.race import at_once
from tests.payments.host import Host

PAYMENTS = "/app/v1/payments"
JSON = "application/json"


def payer(name="asha"):
    """Return a customer with a payment address."""
    person = enrol_person(name.upper())
    person.vpa = f"{name}@exbank"
    body = {"address": person.vpa, "account": person.account_id}
    assert person.client.post("/app/v1/vpas", body, format="json").status_code == 201
    return person


def body_of(person, **changes):
    return {
        "txn_id": new_transaction_id(),
        "account": person.account_id,
        "payer_vpa": person.vpa,
        "payee_vpa": "store1@smplbank",
        "amount": 14950,
        "currency": "INR",
        "note": "order 1",
        "pin_block": BLOCK,
        **changes,
    }


def pay(person, body, key="k-1"):
    return person.client.post(
        PAYMENTS, json.dumps(body), content_type=JSON, headers={"Idempotency-Key": key}
    )


def refused(answer):
    return answer.status_code, answer.json()["code"]


@pytest.mark.django_db
def test_a_payment_is_accepted():
    person = payer()
    body = body_of(person)

    answer = pay(person, body)

    document = answer.json()
    assert answer.status_code == 202
    assert (document["txn_id"], document["amount"]) == (body["txn_id"], 14950)
    assert (document["status"], document["finality"]) == ("created", "provisional")
    assert (document["payer_vpa"], document["payee_vpa"]) == (person.vpa, "store1@smplbank")
    assert PinBlock.objects.count() == 1
    assert person.client.get(f"{PAYMENTS}/{body['txn_id']}").json() == document


@pytest.mark.django_db
@pytest.mark.parametrize(
    "bad", spoiling("amount", "currency", "payee_vpa", "note"), ids=lambda bad: bad.case
)
def test_a_bad_body_is_refused(bad):
    """A01-A11, A13-A17, A19."""
    person = payer()

    with nothing_written():
        answer = send(person.client, PAYMENTS, bad, body_of(person), **{"Idempotency-Key": "k"})

    assert refused(answer) == (bad.status, bad.code)
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("_case", "changes", "status", "code"),
    [
        ("A12 above the limit",   {"amount": 10_000_001},               422, "limit_exceeded"),
        ("no transaction id",     {"txn_id": None},                     400, "invalid_txn_id"),
        ("another bank's id",     {"txn_id": "SMP" + "0" * 32},         400, "invalid_txn_id"),
        ("another's handle",      {"payer_vpa": "asha@okbank"},         404, "not_found"),
        ("a payer without an @",  {"payer_vpa": "asha"},                400, "invalid_vpa"),
        ("no block",              {"pin_block": None},                  400, "invalid_credential"),
        ("a PIN in clear",        {"pin_block": "1234"},                400, "invalid_credential"),
        ("a member of the block", {"pin_block": {**BLOCK, "pin": "1"}}, 400, "invalid_credential"),
        ("markup in the name",    {"payee_name": "<script>"},           400, "invalid_member"),
        ("no such account",       {"account": "acc_" + "0" * 26},       404, "not_found"),
    ],
)  # fmt: skip
def test_a_payment_that_cannot_be_is_refused(_case, changes, status, code):
    person = payer()

    with nothing_written():
        answer = pay(person, body_of(person, **changes))

    assert refused(answer) == (status, code)


@pytest.mark.django_db
def test_a_payment_is_refused_at_once_while_core_banking_is_away(monkeypatch):
    person = payer()
    monkeypatch.setattr(availability, "core_banking", lambda: Host(is_up=False))

    with nothing_written():
        answer = pay(person, body_of(person))

    assert refused(answer) == (503, "core_banking_unavailable")
    assert answer["Retry-After"]


@pytest.mark.django_db
def test_an_account_elsewhere_needs_its_own_banks_core_banking_and_not_ours(monkeypatch):
    person = payer()
    LinkedAccount.objects.update(ifsc="SMPL0000002")
    monkeypatch.setattr(availability, "core_banking", lambda: Host(is_up=False))

    assert pay(person, body_of(person)).status_code == 202


@pytest.mark.django_db
def test_nobody_pays_from_what_is_anothers():
    """A18."""
    person, other = payer(), payer("ravi")

    with nothing_written():
        answers = [
            pay(person, body_of(person, account=other.account_id)),
            pay(person, body_of(person, payer_vpa=other.vpa)),
        ]

    assert [refused(answer) for answer in answers] == [(404, "not_found")] * 2
    assert len({len(answer.content) for answer in answers}) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("_case", "headers", "code"), BAD_KEYS)
def test_a_payment_needs_a_good_key(_case, headers, code):
    """A20."""
    person = payer()

    with nothing_written():
        answer = person.client.post(PAYMENTS, body_of(person), format="json", headers=headers)

    assert refused(answer) == (400, code)


@pytest.mark.django_db
def test_the_same_key_and_body_again_is_the_same_payment():
    person = payer()
    body = body_of(person)
    first = pay(person, body)

    with nothing_written():
        again = pay(person, dict(reversed(body.items())))

    assert (again.status_code, again["Idempotent-Replayed"]) == (200, "true")
    assert again.json() == first.json()


@pytest.mark.django_db
def test_the_same_key_with_another_amount_is_refused():
    """A22."""
    person = payer()
    body = body_of(person)
    pay(person, body)

    with nothing_written():
        answer = pay(person, {**body, "amount": 14951})

    assert refused(answer) == (422, "idempotency_mismatch")


@pytest.mark.django_db
def test_two_customers_may_use_one_key():
    """A24."""
    people = [payer(), payer("ravi")]

    answers = [pay(person, body_of(person)) for person in people]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert Transaction.objects.count() == 2


@pytest.mark.django_db
def test_the_transaction_id_outlives_the_key():
    """A25: the key's row is gone; the payment is still the only one."""
    person = payer()
    body = body_of(person)
    first = pay(person, body)
    IdempotencyKey.objects.all().delete()

    answer = pay(person, body)

    assert (answer.status_code, answer.json()) == (200, first.json())
    assert Transaction.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("changes", [{"amount": 1}, {"payee_vpa": "other@smplbank"}])
def test_a_transaction_id_stands_for_one_payment_only(changes):
    person = payer()
    body = body_of(person)
    pay(person, body)

    with nothing_written():
        answer = pay(person, {**body, **changes}, key="k-2")

    assert refused(answer) == (409, "txn_id_taken")


@pytest.mark.django_db
def test_nobody_takes_anothers_transaction_id():
    person, other = payer(), payer("ravi")
    body = body_of(person)
    pay(person, body)

    with nothing_written():
        answer = pay(other, body_of(other, txn_id=body["txn_id"]))

    assert refused(answer) == (409, "txn_id_taken")


@pytest.mark.django_db
def test_an_unbound_device_pays_nothing():
    """A34."""
    person = payer()
    enrol.revoke_devices(person.device.customer_id, at=clock.now())

    with nothing_written():
        answer = pay(person, body_of(person))

    assert refused(answer) == (403, "device_not_bound")


@pytest.mark.django_db
def test_anothers_payment_and_no_payment_look_alike():
    """A27."""
    person, other = payer(), payer("ravi")
    theirs = pay(other, body_of(other)).json()
    wanted = [theirs["txn_id"], theirs["id"], new_transaction_id(), "1", "' or 1=1--", "%00"]

    answers = [person.client.get(f"{PAYMENTS}/{one}") for one in wanted]

    assert {refused(answer) for answer in answers} == {(404, "not_found")}
    assert len({len(answer.content) for answer in answers}) == 1


@pytest.mark.django_db
def test_one_sees_only_ones_own_payments():
    person, other = payer(), payer("ravi")
    pay(other, body_of(other))
    mine = pay(person, body_of(person)).json()

    assert person.client.get(PAYMENTS).json()["data"] == [mine]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=1000000",            "invalid_parameter"),
        ("limit=0",                  "invalid_parameter"),
        ("cursor=edited",            "invalid_parameter"),
        ("order_by=payer__password", "invalid_parameter"),
        ("limit=1&limit=2",          "duplicate_parameter"),
    ],
)  # fmt: skip
def test_a_bad_parameter_is_refused(query, code):
    """A28."""
    answer = payer().client.get(f"{PAYMENTS}?{query}")

    assert refused(answer) == (400, code)


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["put", "patch", "trace", "delete"])
def test_other_methods_are_refused(method):
    """A39."""
    person = payer()
    path = f"{PAYMENTS}/{new_transaction_id()}"

    answer = getattr(person.client, method)(
        path, headers={"X-HTTP-Method-Override": "GET", "X-User-ID": "1"}
    )

    assert refused(answer) == (405, "method_not_allowed")


def test_fifty_twins_make_one_payment(committed):
    """A21."""
    person = payer()
    body = body_of(person)

    answers = at_once([partial(pay, person, body)] * 50)

    assert {answer.status_code for answer in answers} <= {200, 202, 409}
    assert [answer.status_code for answer in answers].count(202) == 1
    assert {refused(a) for a in answers if a.status_code == 409} <= {(409, "in_progress")}
    assert len({a.json()["id"] for a in answers if a.status_code != 409}) == 1
    assert (Transaction.objects.count(), Leg.objects.count()) == (1, 1)


def test_of_two_amounts_under_one_key_one_is_never_executed(committed):
    """A23."""
    person = payer()
    bodies = [body_of(person), body_of(person, amount=100)]

    answers = at_once([partial(pay, person, body) for body in bodies])

    assert sorted(answer.status_code for answer in answers) in ([202, 409], [202, 422])
    winner = next(answer for answer in answers if answer.status_code == 202)
    (made,) = Transaction.objects.all()
    assert made.amount_paise == winner.json()["amount"]
