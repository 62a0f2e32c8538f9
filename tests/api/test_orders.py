"""Orders over the merchant API: one key, one order; one merchant's orders are nobody else's."""

import base64
import datetime as dt
import json
from functools import partial

import pytest
from rest_framework.test import APIClient

from apps.common import clock
from apps.merchants.contracts import Scope
from apps.merchants.models import ApiKey, Order
from apps.merchants.services.keys import revoke_key
from tests.api.bad_bodies import BAD_KEYS, send, spoiling
from tests.api.fingerprint import nothing_written
from tests.api.people import enrol_person, open_shop
from tests.api.race import at_once

ORDERS = "/v1/orders"
BODY = {"reference": "INV-1", "amount": 49900, "currency": "INR", "note": "two books"}
TOO_MANY = dict.fromkeys("abcdefghijklmnopqrstu", "")


def refused(answer):
    return answer.status_code, answer.json()["code"]


def post(shop, body, key="k-1"):
    return shop.client.post(
        ORDERS, json.dumps(body), content_type="application/json", headers={"Idempotency-Key": key}
    )


@pytest.mark.django_db
def test_an_order_is_made():
    shop = open_shop("Nila Books")

    answer = post(shop, {**BODY, "metadata": {"cart": "7781"}})

    row = Order.objects.get()
    document = answer.json()
    assert answer.status_code == 201
    assert document == {
        "object": "order",
        "id": str(row),
        "livemode": True,
        "reference": "INV-1",
        "amount": 49900,
        "currency": "INR",
        "status": "created",
        "payee_vpa": shop.address,
        "payee_name": "Nila Books",
        "note": "two books",
        "metadata": {"cart": "7781"},
        "upi": None,
        "created_at": document["created_at"],
        "expires_at": document["expires_at"],
        "paid_at": None,
    }
    assert document["expires_at"].endswith("+05:30")
    assert row.expires_at - row.created_at == dt.timedelta(minutes=30)
    assert answer["Request-Id"].startswith("req_")
    assert shop.client.get(f"{ORDERS}/{document['id']}").json() == document


@pytest.mark.django_db
def test_the_same_key_and_body_again_is_the_same_order():
    """A25 in small; members may change their places."""
    shop = open_shop()
    first = post(shop, BODY)

    with nothing_written():
        again = post(shop, dict(reversed(BODY.items())))

    assert (again.status_code, again.json()) == (201, first.json())
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first


@pytest.mark.django_db
def test_the_same_key_with_another_body_is_refused():
    """A22."""
    shop = open_shop()
    post(shop, BODY)

    with nothing_written():
        answer = post(shop, {**BODY, "amount": 49901})

    assert refused(answer) == (422, "idempotency_mismatch")


@pytest.mark.django_db
def test_two_merchants_may_use_one_key():
    """A24."""
    answers = [post(open_shop(), BODY), post(open_shop(), BODY)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert Order.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(("_case", "headers", "code"), BAD_KEYS)
def test_an_order_needs_a_good_key(_case, headers, code):
    """A20."""
    shop = open_shop()

    with nothing_written():
        answer = shop.client.post(ORDERS, BODY, format="json", headers=headers)

    assert refused(answer) == (400, code)


@pytest.mark.django_db
def test_a_reference_is_used_once():
    shop = open_shop()
    post(shop, BODY)

    with nothing_written():
        answer = post(shop, BODY, key="k-2")

    assert refused(answer) == (409, "reference_taken")


@pytest.mark.django_db
@pytest.mark.parametrize("bad", spoiling("amount", "currency", "note"), ids=lambda bad: bad.case)
def test_a_bad_body_is_refused(bad):
    shop = open_shop()

    with nothing_written():
        answer = send(shop.client, ORDERS, bad, BODY, **{"Idempotency-Key": "k-1"})

    assert refused(answer) == (bad.status, bad.code)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("_case", "changes", "code"),
    [
        ("no reference",            {"reference": None},                      "invalid_member"),
        ("an empty reference",      {"reference": ""},                        "invalid_member"),
        ("36 signs",                {"reference": "a" * 36},                  "invalid_member"),
        ("a slash",                 {"reference": "INV/1"},                   "invalid_member"),
        ("a newline at the end",    {"reference": "INV-1\n"},                 "invalid_member"),
        ("in the past",             {"expires_at": "2020-01-01T00:00:00Z"},   "invalid_expiry"),
        ("M10 46 days",             {"expires_at": "46 days"},                "invalid_expiry"),
        ("no offset",               {"expires_at": "2030-01-01T00:00:00"},    "invalid_expiry"),
        ("no such day",             {"expires_at": "2030-02-30T00:00:00Z"},   "invalid_expiry"),
        ("a number",                {"expires_at": 1_900_000_000},            "invalid_expiry"),
        ("metadata of numbers",     {"metadata": {"cart": 1}},                "invalid_metadata"),
        ("metadata as a list",      {"metadata": ["cart"]},                   "invalid_metadata"),
        ("21 pairs",                {"metadata": TOO_MANY},                   "invalid_metadata"),
        ("a NUL",                   {"metadata": {"a": "\u0000"}},            "invalid_metadata"),
        ("a lone surrogate",        {"metadata": {"a": "\ud800"}},            "invalid_metadata"),
        ("a name of markup",        {"metadata": {"<b>": ""}},                "invalid_metadata"),
        ("501 signs",               {"metadata": {"a": "x" * 501}},           "invalid_metadata"),
    ],
)  # fmt: skip
def test_a_malformed_member_is_refused(_case, changes, code):
    shop = open_shop()
    if changes.get("expires_at") == "46 days":
        changes = {"expires_at": clock.iso(clock.now() + dt.timedelta(days=46))}

    with nothing_written():
        answer = post(shop, {**BODY, **changes})

    assert refused(answer) == (400, code)


@pytest.mark.django_db
def test_an_order_that_was_not_paid_in_time_is_shown_as_expired():
    shop = open_shop()
    order_id = shop.order().json()["id"]
    past = clock.now() - dt.timedelta(hours=1)

    Order.objects.update(expires_at=past)

    assert shop.client.get(f"{ORDERS}/{order_id}").json()["status"] == "expired"


@pytest.mark.django_db
def test_anothers_order_and_no_order_look_alike():
    """M12, A27."""
    shop, other = open_shop(), open_shop()
    theirs = other.order().json()["id"]
    test_mode = open_shop(is_live=False).order().json()["id"]
    wanted = [theirs, test_mode, "ord_" + "0" * 26, "ord_1", "1", "' or 1=1--"]

    answers = [shop.client.get(f"{ORDERS}/{one}") for one in wanted]

    assert {refused(answer) for answer in answers} == {(404, "not_found")}
    assert len({len(answer.content) for answer in answers}) == 1


@pytest.mark.django_db
def test_a_list_is_walked_by_its_cursor():
    shop = open_shop()
    made = [shop.order().json()["id"] for _ in range(5)]
    open_shop().order()

    seen, query = [], {"limit": 2}
    while query:
        page = shop.client.get(ORDERS, query).json()
        seen += [order["id"] for order in page["data"]]
        query = {"limit": 2, "cursor": page["next_cursor"]} if page["has_more"] else None

    assert seen == made[::-1]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=1000000",            "invalid_parameter"),
        ("limit=0",                  "invalid_parameter"),
        ("limit=-1",                 "invalid_parameter"),
        ("limit=ten",                "invalid_parameter"),
        ("limit=%D9%A1",             "invalid_parameter"),
        ("cursor=edited",            "invalid_parameter"),
        ("cursor=acc_" + "0" * 26,   "invalid_parameter"),
        ("order_by=merchant__vpa",   "invalid_parameter"),
        ("limit=1&limit=2",          "duplicate_parameter"),
        ("merchant_id=me",           "invalid_parameter"),
    ],
)  # fmt: skip
def test_a_bad_parameter_is_refused(query, code):
    """A28, M16."""
    answer = open_shop().client.get(f"{ORDERS}?{query}")

    assert refused(answer) == (400, code)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("_case", "header"),
    [
        ("nothing",              ""),
        ("no scheme",            "{key}"),
        ("one sign changed",     "Bearer {changed}"),
        ("only the id",          "Bearer {short}"),
        ("two headers",          "Bearer {key}, Bearer {key}"),
        ("a newline at the end", "Bearer {key}\n"),
        ("not base64",           "Basic ****"),
        ("a customer's token",   "Bearer {token}"),
        ("a JWT",                "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."),
    ],
)  # fmt: skip
def test_what_is_no_key_opens_nothing(_case, header):
    """M01, J01-J05."""
    shop, person = open_shop(), enrol_person()
    value = header.format(
        key=shop.key,
        changed=shop.key[:-1] + ("A" if shop.key[-1] != "A" else "B"),
        short=shop.key[:34],
        token=person.token,
    )

    with nothing_written():
        answer = APIClient().get(ORDERS, headers={"Authorization": value})

    assert refused(answer) == (401, "unauthenticated_key")


@pytest.mark.django_db
@pytest.mark.parametrize("pair", ["{key}:", "key:{key}"])
def test_a_key_may_come_by_basic(pair):
    shop = open_shop()
    encoded = base64.b64encode(pair.format(key=shop.key).encode()).decode()

    answer = APIClient().get(ORDERS, headers={"Authorization": f"Basic {encoded}"})

    assert answer.status_code == 200


@pytest.mark.django_db
def test_a_revoked_key_opens_nothing():
    shop = open_shop()
    revoke_key(shop.key_id, at=clock.now())

    assert refused(shop.client.get(ORDERS)) == (401, "unauthenticated_key")


@pytest.mark.django_db
def test_a_suspended_merchant_may_do_nothing():
    shop = open_shop()
    type(shop.merchant).objects.update(state="SUSPENDED")

    with nothing_written():
        answer = post(shop, BODY)

    assert refused(answer) == (403, "merchant_suspended")


@pytest.mark.django_db
def test_a_key_does_what_its_scopes_say():
    shop = open_shop(scopes=[Scope.ORDERS_READ])

    with nothing_written():
        answer = post(shop, BODY)

    assert refused(answer) == (403, "scope_missing")
    assert shop.client.get(ORDERS).status_code == 200


@pytest.mark.django_db
def test_a_key_in_a_url_is_revoked():
    """M18."""
    shop = open_shop()

    answer = APIClient().get(ORDERS, {"api_key": shop.key})

    assert refused(answer) == (400, "key_in_query")
    assert shop.key not in answer.content.decode()
    assert refused(shop.client.get(ORDERS)) == (401, "unauthenticated_key")
    assert ApiKey.objects.get().state == "REVOKED"


@pytest.mark.django_db
def test_nobody_revokes_a_key_they_do_not_have():
    shop = open_shop()

    APIClient().get(ORDERS, {"api_key": shop.key[:-1] + "!"})

    assert shop.client.get(ORDERS).status_code == 200


@pytest.mark.django_db
def test_test_mode_and_live_mode_are_apart():
    live = open_shop()
    live.order(reference="INV-1")
    test = open_shop(is_live=False)

    assert test.order(reference="INV-1").json()["livemode"] is False
    assert len(test.client.get(ORDERS).json()["data"]) == 1


@pytest.mark.django_db
def test_of_a_key_only_a_code_is_kept():
    shop = open_shop()

    row = ApiKey.objects.get()

    assert len(bytes(row.secret_code)) == 32
    assert shop.key.encode() not in bytes(row.secret_code)


def race(shop, bodies):
    """POST the bodies at once under one key; return the answers."""
    return at_once([partial(post, shop, body) for body in bodies])


def test_twenty_twins_make_one_order(committed):
    """A21."""
    answers = race(open_shop(), [BODY] * 20)

    assert {answer.status_code for answer in answers} <= {201, 409}
    made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert len(made) == 1
    assert {refused(a) for a in answers if a.status_code == 409} <= {(409, "in_progress")}
    assert Order.objects.count() == 1


def test_of_two_bodies_under_one_key_one_is_never_executed(committed):
    """A23."""
    answers = race(open_shop(), [BODY, {**BODY, "amount": 100, "reference": "INV-2"}])

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses in ([201, 409], [201, 422])
    winner = next(answer for answer in answers if answer.status_code == 201)
    assert [order.amount_paise for order in Order.objects.all()] == [winner.json()["amount"]]
