"""QR codes that end: called back by their merchant, or at the instant that they were given."""

import datetime as dt

import pytest

from apps.common import clock
from apps.merchants.contracts import Scope, Verdict
from apps.merchants.models import QrCode
from apps.messaging.models import OutboxEvent
from apps.upi.links import uri
from tests.api.fingerprint import nothing_written
from tests.api.links import APP_RESOLVE, CODES, STATIC, make_code, pay, post, resolve
from tests.api.people import BLOCK, enrol_person, new_transaction_id, open_shop
from tests.api.test_orders import refused

pytestmark = pytest.mark.django_db


def revoke(shop, code, body=None):
    return post(shop, f"{CODES}/{code['id']}/revocations", body or {})


def events():
    return OutboxEvent.objects.filter(type="merchants.qr_code.revoked")


@pytest.mark.parametrize("more", [{}, {"format": "bharatqr", "city": "Mumbai"}])
def test_a_revoked_code_is_paid_by_nobody_of_ours(more):
    shop, person = open_shop(), enrol_person()
    code = make_code(shop, **STATIC, store="STORE07", **more).json()
    assert resolve(person, code["payload"], APP_RESOLVE).json()["is_payable"]

    answer = revoke(shop, code)

    document = answer.json()
    assert (answer.status_code, document["status"]) == (200, "revoked")
    assert document["revoked_at"] is not None
    assert shop.client.get(f"{CODES}/{code['id']}").json()["status"] == "revoked"
    for who, path in ((person, APP_RESOLVE), (shop, "/v1/intents/resolve")):
        assert refused(resolve(who, code["payload"], path)) == (410, "qr_code_revoked")
    [event] = events()
    assert event.data == {
        "qr_code_id": code["id"],
        "merchant_id": str(shop.merchant),
        "kind": "STATIC",
        "store": "STORE07",
        "terminal": "",
        "revoked_at": document["revoked_at"],
    }


def test_a_payment_that_says_it_comes_from_a_revoked_code_is_refused():
    shop, person = open_shop(), enrol_person()
    body = {"address": "asha.codes@exbank", "account": person.account_id}
    assert post(person, "/app/v1/vpas", body).status_code == 201
    code = make_code(shop, **STATIC).json()
    payment = resolve(person, code["payload"], APP_RESOLVE).json()["payment"]
    revoke(shop, code)
    order = {
        **payment,
        "amount": 100,
        "txn_id": new_transaction_id(),
        "account": person.account_id,
        "payer_vpa": "asha.codes@exbank",
        "pin_block": BLOCK,
    }

    with nothing_written():
        answer = post(person, "/app/v1/payments", order, **{"Idempotency-Key": "k-1"})

    assert refused(answer) == (410, "qr_code_revoked")


def test_a_code_is_revoked_once_however_often_it_is_asked():
    shop = open_shop()
    code = make_code(shop, **STATIC).json()
    first = revoke(shop, code).json()

    with nothing_written():
        again = revoke(shop, code)

    assert (again.status_code, again.json()) == (200, first)
    assert events().count() == 1


def test_of_two_codes_that_are_alike_one_alive_is_enough():
    shop, person = open_shop(), enrol_person()
    alike = {**STATIC, "format": "bharatqr", "city": "Mumbai"}
    first, second = (make_code(shop, key=key, **alike).json() for key in ("k-1", "k-2"))
    assert first["payload"] == second["payload"]

    revoke(shop, first)
    assert resolve(person, first["payload"], APP_RESOLVE).status_code == 200
    revoke(shop, second)

    assert refused(resolve(person, first["payload"], APP_RESOLVE)) == (410, "qr_code_revoked")


def test_an_order_whose_code_was_revoked_is_still_paid_by_money_that_arrives():
    shop, person = open_shop(), enrol_person()
    order_id = shop.order().json()["id"]
    code = make_code(shop, kind="dynamic", order=order_id).json()
    revoke(shop, code)
    assert refused(resolve(person, code["payload"], APP_RESOLVE)) == (410, "qr_code_revoked")
    other = make_code(shop, key="k-2", kind="dynamic", order=order_id).json()

    assert resolve(person, other["payload"], APP_RESOLVE).json()["is_payable"]
    assert pay(shop, order_id) == Verdict.PAID


def test_only_its_own_merchant_revokes_a_code_and_only_with_a_key_that_writes():
    shop, other, reader = open_shop(), open_shop(), open_shop(scopes=[Scope.ORDERS_READ])
    code = make_code(shop, **STATIC).json()

    with nothing_written():
        answers = [
            revoke(other, code),
            revoke(other, {"id": "qr_1"}),
            revoke(reader, code),
            revoke(shop, code, {"reason": "lost"}),
        ]

    assert [refused(answer) for answer in answers] == [
        (404, "not_found"),
        (404, "not_found"),
        (403, "scope_missing"),
        (400, "unknown_member"),
    ]


def test_a_static_code_may_have_an_end():
    shop, person = open_shop(), enrol_person()
    ends_at = (clock.now() + dt.timedelta(days=30)).replace(microsecond=0)
    link = make_code(shop, **STATIC, expires_at=clock.iso(ends_at)).json()
    emv = make_code(
        shop, key="k-2", **STATIC, format="bharatqr", city="Mumbai", expires_at=clock.iso(ends_at)
    ).json()
    assert uri.read(link["payload"]).intent.expires_at == ends_at
    assert (link["status"], emv["status"]) == ("active", "active")
    assert resolve(person, emv["payload"], APP_RESOLVE).status_code == 200

    QrCode.objects.update(expires_at=clock.now() - dt.timedelta(seconds=1))

    assert refused(resolve(person, emv["payload"], APP_RESOLVE)) == (410, "link_expired")
    assert shop.client.get(f"{CODES}/{emv['id']}").json()["status"] == "expired"
