"""QR codes over the merchant API: static and dynamic, as links and as EMV codes."""

import datetime as dt
from xml.etree import ElementTree as ET

import pytest

from apps.common import clock
from apps.common.money import Money
from apps.merchants.models import QrCode
from apps.upi.links import emv, uri
from tests.api.bad_bodies import BAD_KEYS
from tests.api.fingerprint import nothing_written
from tests.api.links import APP_RESOLVE, CODES, STATIC, codes_in, make_code, post, resolve
from tests.api.people import enrol_person, open_shop
from tests.api.test_orders import refused

pytestmark = pytest.mark.django_db


def test_a_static_code_is_signed_for_its_store():
    shop = open_shop()

    answer = make_code(shop, **STATIC, store="STORE07", terminal="T1")

    row, document = QrCode.objects.get(), answer.json()
    asked = uri.read(document["payload"]).intent
    assert answer.status_code == 201
    assert document["id"] == str(row)
    assert (asked.mode, asked.amount, asked.reference) == ("20", None, "")
    assert (asked.other("msid"), asked.other("mtid")) == ("STORE07", "T1")
    assert document["expires_at"] is None
    elsewhere = make_code(shop, key="k-2", kind="static", store="STORE07").json()["payload"]
    assert uri.read(elsewhere).intent.other("mtid") == ""
    assert ET.fromstring(document["qr_svg"]).tag.endswith("svg")
    shown = resolve(enrol_person(), document["payload"], APP_RESOLVE).json()
    assert (shown["signature"]["status"], shown["amount"]) == ("verified", None)
    assert "amount" not in shown["payment"]


def test_a_shop_offline_has_the_modes_of_its_kind():
    shop = open_shop()
    type(shop.merchant.vpa).objects.update(merchant_genre="OFFLINE")
    order_id = shop.order().json()["id"]

    static = make_code(shop, **STATIC).json()
    dynamic = make_code(shop, key="k-2", kind="dynamic", order=order_id).json()

    modes = [uri.read(code["payload"]).intent.mode for code in (static, dynamic)]
    assert modes == ["02", "16"]


def test_a_bharatqr_code_carries_the_order():
    shop = open_shop("Nila Books Private Limited & Sons")
    order_id = shop.order(reference="INV-1").json()["id"]

    document = make_code(
        shop, kind="dynamic", format="bharatqr", order=order_id, city="Mumbai", postal_code="400051"
    ).json()

    code = emv.read(document["payload"])
    assert (code.payee_name, code.city) == ("Nila Books Private Limite", "Mumbai")
    assert (code.reference, code.amount, code.is_dynamic) == ("INV-1", Money(49900), True)
    shown = resolve(enrol_person(), document["payload"], APP_RESOLVE).json()
    assert (shown["format"], shown["initiation_mode"]) == ("bharatqr", "03")
    assert codes_in(shown["warnings"]) == ["unsigned"]


def test_an_emv_code_without_room_is_refused():
    shop = open_shop()
    order_id = shop.order(reference="A1").json()["id"]

    with nothing_written():
        answer = make_code(shop, kind="dynamic", format="bharatqr", order=order_id, city="Mumbai")

    assert refused(answer) == (422, "emv_not_possible")


@pytest.mark.parametrize(
    ("_case", "body", "refusal"),
    [
        ("no kind", {}, (400, "invalid_member")),
        ("another kind", {"kind": "eternal"}, (400, "invalid_member")),
        ("another format", {**STATIC, "format": "png"}, (400, "invalid_member")),
        ("no order", {"kind": "dynamic"}, (400, "invalid_member")),
        ("an unknown order", {"kind": "dynamic", "order": "ord_1"}, (404, "not_found")),
        ("static for an order", {**STATIC, "order": "ord_1"}, (400, "invalid_member")),
        ("a store of markup", {**STATIC, "store": "<script>"}, (400, "invalid_member")),
        ("a city of none", {**STATIC, "city": "Mumbai"}, (400, "invalid_member")),
        ("no city", {**STATIC, "format": "bharatqr"}, (400, "invalid_member")),
        ("ended", {**STATIC, "expires_at": "2020-01-01T00:00:00Z"}, (400, "invalid_expiry")),
        ("too long", {**STATIC, "expires_at": "2099-01-01T00:00:00Z"}, (400, "invalid_expiry")),
        ("M13 a name of ours", {**STATIC, "name": "<script>"}, (400, "unknown_member")),
    ],
)
def test_a_code_that_cannot_be_meant_is_refused(_case, body, refusal):
    shop = open_shop()

    with nothing_written():
        answer = make_code(shop, **body)

    assert refused(answer) == refusal


def test_a_dynamic_code_ends_with_its_order_or_before():
    shop = open_shop()
    order = shop.order().json()
    ends_at = dt.datetime.fromisoformat(order["expires_at"])
    later = clock.iso(ends_at + dt.timedelta(seconds=2))
    sooner = clock.iso((ends_at - dt.timedelta(minutes=5)).replace(microsecond=0))

    too_late = make_code(shop, kind="dynamic", order=order["id"], expires_at=later)
    past = make_code(shop, kind="dynamic", order=order["id"], expires_at="2020-01-01T00:00:00Z")
    good = make_code(shop, kind="dynamic", order=order["id"], expires_at=sooner).json()

    assert refused(too_late) == refused(past) == (400, "invalid_expiry")
    expires_at = uri.read(good["payload"]).intent.expires_at
    assert expires_at == dt.datetime.fromisoformat(good["expires_at"])
    assert expires_at == dt.datetime.fromisoformat(sooner)


def test_the_same_key_is_the_same_code():
    shop = open_shop()
    first = make_code(shop, **STATIC)

    with nothing_written():
        again = make_code(shop, **STATIC)
        other = make_code(shop, kind="static", store="S2")

    assert (again.status_code, again.json()) == (201, first.json())
    assert again["Idempotent-Replayed"] == "true"
    assert refused(other) == (422, "idempotency_mismatch")


@pytest.mark.parametrize(("_case", "headers", "code"), BAD_KEYS)
def test_a_code_needs_a_good_key(_case, headers, code):
    """A20."""
    shop = open_shop()

    with nothing_written():
        answer = post(shop, CODES, STATIC, **headers)

    assert refused(answer) == (400, code)


def test_codes_are_listed_and_seen_by_their_merchant_only():
    shop, other = open_shop(), open_shop()
    made = [make_code(shop, key=f"k-{n}", **STATIC).json() for n in range(3)]

    page = shop.client.get(CODES, {"limit": 2}).json()
    rest = shop.client.get(CODES, {"limit": 2, "cursor": page["next_cursor"]}).json()
    whole = shop.client.get(f"{CODES}/{made[0]['id']}")

    seen = [code["id"] for code in page["data"] + rest["data"]]
    assert seen == [code["id"] for code in reversed(made)]
    assert "qr_svg" not in page["data"][0]
    assert whole.json() == made[0]
    assert other.client.get(CODES).json()["data"] == []
    wanted = [f"{CODES}/{made[0]['id']}", f"{CODES}/qr_1"]
    assert {refused(other.client.get(path)) for path in wanted} == {(404, "not_found")}
    assert refused(shop.client.get(CODES, {"cursor": "x"})) == (400, "invalid_parameter")
