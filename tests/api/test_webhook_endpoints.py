"""Webhook endpoints over the merchant API: public https only, secrets shown once."""

import base64

import pytest

from apps.common import clock, ids
from apps.merchants.models import WebhookDelivery, WebhookEndpoint
from tests.api.bad_bodies import send, spoiling
from tests.api.fingerprint import nothing_written
from tests.api.people import open_shop

pytestmark = pytest.mark.django_db

ENDPOINTS = "/v1/webhook_endpoints"
URL = "https://shop.example/upi"


@pytest.fixture(autouse=True)
def as_at_a_bank(settings):
    settings.WEBHOOK_ALLOW_PRIVATE = False


def register(shop, url=URL):
    return shop.client.post(ENDPOINTS, {"url": url}, format="json")


def refused(answer):
    return answer.status_code, answer.json()["code"]


def test_an_endpoint_is_registered_and_its_secret_shown_once():
    shop = open_shop()

    answer = register(shop)

    document = answer.json()
    secret = document.pop("secret")
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert document == {
        "object": "webhook_endpoint",
        "id": str(WebhookEndpoint.objects.get()),
        "livemode": True,
        "url": URL,
        "status": "active",
        "created_at": document["created_at"],
    }
    assert shop.client.get(ENDPOINTS).json()["data"] == [document]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://shop.example/",                "https_required"),
        ("https://169.254.169.254/",            "forbidden_destination"),
        ("https://[fd00:ec2::254]/",            "forbidden_destination"),
        ("https://10.0.0.5/",                   "forbidden_destination"),
        ("https://127.0.0.1/",                  "forbidden_destination"),
        ("https://0.0.0.0/",                    "forbidden_destination"),
        ("https://localhost/",                  "forbidden_destination"),
        ("https://LOCALHOST./",                 "forbidden_destination"),
        ("https://2130706433/",                 "forbidden_destination"),
        ("https://0177.0.0.1/",                 "forbidden_destination"),
        ("https://127.1/",                      "forbidden_destination"),
        ("https://0x7f.1/",                     "forbidden_destination"),
        ("https://0x7f000001/",                 "forbidden_destination"),
        ("https://[::ffff:169.254.169.254]/",   "forbidden_destination"),
        ("https://[64:ff9b::7f00:1]/",          "forbidden_destination"),
        ("https://[::1]/",                      "forbidden_destination"),
        ("https://intranet/",                   "forbidden_destination"),
        ("https://-shop.example/",              "forbidden_destination"),
        ("https://good@evil.example/",          "invalid_url"),
        ("https://good:secret@evil.example/",   "invalid_url"),
        ("https://shop.example:22/",            "invalid_url"),
        ("https://shop.example:25/",            "invalid_url"),
        ("https://shop.example:6379/",          "invalid_url"),
        ("https://shop.example:99999/",         "invalid_url"),
        ("https://shop.example/#x",             "invalid_url"),
        ("https://shop.example/" + "a" * 2028,  "invalid_url"),
        ("https://shop.example/\r\nX: y",       "invalid_url"),
        ("https://shop.example\\@evil.example", "invalid_url"),
        ("https://sh\u00f6p.example/",          "invalid_url"),
        ("ftp://shop.example/",                 "invalid_url"),
        ("javascript:alert(1)",                 "invalid_url"),
        ("https://",                            "invalid_url"),
        ("",                                    "invalid_url"),
        (1,                                     "invalid_url"),
    ],
)  # fmt: skip
def test_what_is_no_public_https_address_is_refused(url, code):
    """W01-W04, W07."""
    shop = open_shop()

    with nothing_written():
        answer = register(shop, url)

    assert refused(answer) == (400, code)


@pytest.mark.parametrize("bad", spoiling(), ids=lambda bad: bad.case)
def test_a_bad_body_is_refused(bad):
    shop = open_shop()

    with nothing_written():
        answer = send(shop.client, ENDPOINTS, bad, {"url": URL})

    assert refused(answer) == (bad.status, bad.code)


def test_another_merchants_endpoint_is_not_found():
    """W12."""
    shop, other = open_shop(), open_shop()
    theirs = f"{ENDPOINTS}/{register(other).json()['id']}"

    with nothing_written():
        answers = [
            shop.client.delete(theirs),
            shop.client.get(f"{theirs}/deliveries"),
            shop.client.post(f"{theirs}/secret-rotations"),
            shop.client.delete(f"{ENDPOINTS}/whk_{'0' * 26}"),
            shop.client.delete(f"{ENDPOINTS}/1"),
        ]

    assert [refused(answer) for answer in answers] == [(404, "not_found")] * 5


def test_a_rotated_secret_is_another():
    shop = open_shop()
    first = register(shop).json()

    answer = shop.client.post(f"{ENDPOINTS}/{first['id']}/secret-rotations")

    assert answer.status_code == 201
    assert answer.json()["secret"] != first["secret"]


def test_a_deleted_endpoint_is_gone_and_owed_nothing():
    shop = open_shop()
    endpoint_id = register(shop).json()["id"]
    endpoint = WebhookEndpoint.objects.get()
    WebhookDelivery.objects.create(
        endpoint=endpoint,
        event_id=ids.uuid7(),
        event_type="order.paid",
        body=b"{}",
        created_at=clock.now(),
        next_action_at=clock.now(),
    )

    answer = shop.client.delete(f"{ENDPOINTS}/{endpoint_id}")

    assert answer.status_code == 204
    assert shop.client.get(ENDPOINTS).json()["data"] == []
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.next_action_at) == ("FAILED", None)


def test_deliveries_are_listed_by_cursor():
    shop = open_shop()
    endpoint_id = register(shop).json()["id"]
    endpoint = WebhookEndpoint.objects.get()
    for _ in range(3):
        WebhookDelivery.objects.create(
            endpoint=endpoint,
            event_id=ids.uuid7(),
            event_type="order.paid",
            body=b"{}",
            created_at=clock.now(),
        )
    path = f"{ENDPOINTS}/{endpoint_id}/deliveries"

    first = shop.client.get(path, {"limit": 2}).json()
    second = shop.client.get(path, {"limit": 2, "cursor": first["next_cursor"]}).json()

    assert [len(first["data"]), len(second["data"])] == [2, 1]
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert refused(shop.client.get(path, {"cursor": "edited"})) == (400, "invalid_parameter")
