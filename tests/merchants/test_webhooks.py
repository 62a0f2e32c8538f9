"""Webhooks: the same bytes until they are taken, signed, and never at anybody's mercy."""

import base64
import datetime as dt
import hmac
import threading
import time

import orjson
import pytest
import time_machine
from django.db import connections, transaction
from django.test import override_settings

from apps.common import clock, ids
from apps.merchants import consumers, selectors, webhook_client, webhook_signature
from apps.merchants.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from apps.merchants.services import deliver
from apps.merchants.services.deliver import deliver_due
from apps.merchants.services.endpoints import register_endpoint, secrets_of
from apps.merchants.webhook_client import Outcome
from apps.messaging.contracts import ReceivedEvent
from tests.api.people import open_shop
from tests.merchants.shop_server import ShopServer


@pytest.fixture
def server():
    with ShopServer() as one:
        yield one


@pytest.fixture
def shop(db):
    return open_shop()


def endpoint_at(shop, url):
    endpoint, _ = register_endpoint(url, merchant_id=shop.merchant.pk, is_live=True, at=clock.now())
    return endpoint


def paid(shop, **changes):
    """The fact that an order was paid, as it comes from Kafka."""
    data = {
        "order_id": ids.public_id("ord", ids.uuid7()),
        "merchant_id": str(shop.merchant),
        "reference": "INV-1",
        "amount_paise": 49900,
        "transaction_id": "EXB" + "0" * 32,
        "rrn": "532610000123",
        "paid_at": clock.iso(clock.now()),
    }
    return ReceivedEvent(
        id=changes.get("id", ids.uuid7()),
        type="merchants.order.paid",
        subject=data["transaction_id"],
        sequence=4,
        occurred_at=clock.now(),
        data=data,
    )


def consume(event):
    with transaction.atomic():
        consumers.order_paid(event)


def make_due():
    WebhookDelivery.objects.filter(state="PENDING").update(
        next_action_at=clock.now() - dt.timedelta(seconds=1)
    )


def test_a_paid_order_is_told_in_signed_bytes(shop, server):
    endpoint = endpoint_at(shop, server.url)
    event = paid(shop)
    consume(event)

    assert deliver_due() == 1

    (call,) = server.calls
    document = orjson.loads(call.body)
    assert document["id"] == call.headers["webhook-id"] == ids.public_id("evt", event.id)
    assert (document["type"], document["sequence"]) == ("order.paid", 4)
    assert document["data"]["object"] == {
        "object": "order",
        "id": event.data["order_id"],
        "reference": "INV-1",
        "amount": 49900,
        "currency": "INR",
        "status": "paid",
        "upi": {"txn_id": event.subject, "rrn": "532610000123"},
        "paid_at": event.data["paid_at"],
    }
    secrets = secrets_of(endpoint, at=clock.now())
    assert webhook_signature.is_genuine(call.headers, call.body, secrets, at=clock.now())
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.next_action_at) == ("DELIVERED", 1, None)
    assert bytes(delivery.body) == call.body
    assert deliver_due() == 0


def test_a_merchant_checks_the_signature_with_the_secret_it_was_shown(shop, server):
    """As the Standard Webhooks specification says, without any code of ours."""
    _, secret = register_endpoint(
        server.url, merchant_id=shop.merchant.pk, is_live=True, at=clock.now()
    )
    consume(paid(shop))
    deliver_due()
    (call,) = server.calls
    key = base64.b64decode(webhook_signature.shown(secret).removeprefix("whsec_"))
    signed = b".".join(
        (
            call.headers["webhook-id"].encode(),
            call.headers["webhook-timestamp"].encode(),
            call.body,
        )
    )

    expected = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()

    assert call.headers["webhook-signature"] == f"v1,{expected}"


def test_a_webhook_names_no_person(shop, server):
    """W14: no address, no phone or account number of whoever paid."""
    endpoint_at(shop, server.url)
    consume(paid(shop))
    deliver_due()

    text = server.calls[0].body.decode()
    assert "@" not in text
    assert shop.merchant.vpa.account_number not in text


def test_a_fact_consumed_twice_is_told_once(shop, server):
    endpoint_at(shop, server.url)
    event = paid(shop)

    consume(event)
    consume(event)
    deliver_due()

    assert len(server.calls) == 1


def test_every_endpoint_of_the_merchant_is_told_and_no_other(shop, server):
    endpoint_at(shop, server.url)
    endpoint_at(shop, server.url)
    endpoint_at(open_shop(), server.url)

    consume(paid(shop))

    assert WebhookDelivery.objects.count() == 2


def test_a_merchant_without_endpoints_is_told_nothing(shop):
    consume(paid(shop))

    assert not WebhookDelivery.objects.exists()
    assert not selectors.webhooks_are_due()


@pytest.mark.parametrize(
    ("action", "outcome", "status"),
    [
        ("500",      Outcome.HTTP_STATUS, 500),
        ("404",      Outcome.HTTP_STATUS, 404),
        ("redirect", Outcome.HTTP_STATUS, 302),
        ("garbage",  Outcome.NOT_HTTP,    None),
    ],
)  # fmt: skip
def test_whatever_is_not_2xx_is_tried_again_with_the_same_id_and_body(
    shop, server, action, outcome, status
):
    """W06: a redirect is not followed."""
    endpoint_at(shop, server.url)
    consume(paid(shop))
    server.plan = [action]

    deliver_due()
    delivery = WebhookDelivery.objects.get()
    attempt = WebhookAttempt.objects.get()
    assert (delivery.state, delivery.attempts, delivery.claim) == ("PENDING", 1, None)
    assert (attempt.outcome, attempt.http_status) == (outcome, status)
    assert 8 < (delivery.next_action_at - clock.now()).total_seconds() < 12
    make_due()
    deliver_due()

    first, second = server.calls
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert WebhookDelivery.objects.get().state == "DELIVERED"


@pytest.mark.parametrize("action", ["silent", "drip"])
def test_a_slow_server_is_cut_off(server, action):
    """W08."""
    server.plan = [action]
    begun = time.monotonic()

    reply = webhook_client.post(server.url, b"{}", {}, deadline_seconds=0.5)

    assert time.monotonic() - begun < 2
    assert reply.outcome == Outcome.TIMED_OUT


@pytest.mark.parametrize("action", ["endless", "bomb"])
def test_what_a_server_pours_out_is_not_drunk(server, action):
    """W08: 64 KiB of head at most, and nothing of a body."""
    server.plan = [action]

    reply = webhook_client.post(server.url, b"{}", {}, deadline_seconds=5)

    assert reply.outcome == Outcome.DELIVERED
    assert reply.elapsed_ms < 3000


def test_nobody_there_is_a_failure_like_any_other(shop):
    endpoint_at(shop, "http://127.0.0.1:1/hook")
    consume(paid(shop))

    deliver_due()

    assert WebhookAttempt.objects.get().outcome == Outcome.NOT_CONNECTED


def test_a_destination_that_became_forbidden_gets_no_byte(shop, server):
    """W05."""
    endpoint_at(shop, server.url)
    consume(paid(shop))

    with override_settings(WEBHOOK_ALLOW_PRIVATE=False):
        deliver_due()

    assert server.calls == []
    assert WebhookAttempt.objects.get().outcome == Outcome.FORBIDDEN


def test_a_failing_endpoint_is_left_alone_for_a_moment(shop, server):
    endpoint_at(shop, server.url)
    for _ in range(3):
        consume(paid(shop))
    server.plan = ["500"]

    deliver_due()

    assert len(server.calls) == 1
    assert not selectors.webhooks_are_due()
    soonest = min(row.next_action_at for row in WebhookDelivery.objects.all())
    assert (soonest - clock.now()).total_seconds() > 8


def test_one_slow_shop_does_not_hold_up_another(committed, server):
    shop, other = open_shop(), open_shop()
    endpoint_at(shop, server.url)
    consume(paid(shop))
    server.plan = ["silent"]
    with ShopServer() as quick:
        endpoint_at(other, quick.url)
        consume(paid(other))

        begun = time.monotonic()
        with override_settings(WEBHOOK_DEADLINE_SECONDS=2):
            worker = threading.Thread(target=_deliver_in_thread)
            worker.start()
            while not WebhookDelivery.objects.filter(state="DELIVERED").exists():
                assert time.monotonic() - begun < 1.9, "the quick shop waited for the slow one"
                time.sleep(0.02)
            worker.join()

    assert WebhookAttempt.objects.filter(outcome=Outcome.TIMED_OUT).count() == 1


def _deliver_in_thread():
    try:
        deliver_due()
    finally:
        connections["default"].close()


def test_a_worker_killed_between_send_and_record_sends_the_same_again(shop, server, monkeypatch):
    """W13."""
    endpoint_at(shop, server.url)
    consume(paid(shop))

    class KilledError(BaseException):
        pass

    def die(*_):
        raise KilledError

    monkeypatch.setattr(deliver, "_record_group", die)
    with pytest.raises(KilledError):
        deliver_due()
    monkeypatch.undo()
    make_due()
    deliver_due()

    first, second = server.calls
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert WebhookDelivery.objects.get().state == "DELIVERED"


def test_after_thirteen_tries_in_three_days_a_delivery_is_given_up(shop, server):
    endpoint_at(shop, server.url)
    consume(paid(shop))
    server.plan = ["500"] * 20
    waits = []

    for _ in range(13):
        make_due()
        deliver_due()
        row = WebhookDelivery.objects.get()
        if row.next_action_at:
            waits.append((row.next_action_at - clock.now()).total_seconds())

    assert (row.state, row.attempts, row.next_action_at) == ("FAILED", 13, None)
    assert len(server.calls) == 13
    for wait, planned in zip(waits, deliver.RETRY_SECONDS, strict=True):
        assert planned * 0.85 - 1 < wait < planned * 1.15
    assert sum(deliver.RETRY_SECONDS) > 3 * 24 * 3600


def test_an_endpoint_that_fails_for_five_days_is_disabled(shop, server):
    """W09."""
    endpoint_at(shop, server.url)
    begun = clock.now()
    server.plan = ["500", "500"]
    consume(paid(shop))
    deliver_due()
    make_due()

    with time_machine.travel(begun + dt.timedelta(days=5, seconds=1), tick=False):
        deliver_due()

    assert WebhookEndpoint.objects.get().state == "DISABLED"
    assert WebhookDelivery.objects.get().state == "FAILED"
    consume(paid(shop))
    assert WebhookDelivery.objects.count() == 1


def test_one_success_ends_the_count_of_days(shop, server):
    endpoint_at(shop, server.url)
    server.plan = ["500"]
    consume(paid(shop))
    deliver_due()
    assert WebhookEndpoint.objects.get().failing_since_at is not None
    make_due()

    deliver_due()

    assert WebhookEndpoint.objects.get().failing_since_at is None
