"""A worker of webhooks is killed at any point; its shop hears all the same, of the same thing."""

import datetime as dt
import signal

import pytest
from django.db import transaction

from apps.common import clock, ids
from apps.merchants import consumers
from apps.merchants.models import WebhookDelivery
from apps.merchants.services.deliver import deliver_due
from apps.merchants.services.endpoints import register_endpoint
from apps.messaging.contracts import ReceivedEvent
from tests.api.people import open_shop
from tests.foundry import opened_foundry
from tests.merchants.shop_server import ShopServer

# Sets Django up once; for each point it reads it forks a worker that dies there.
FOUNDRY = """
import os, sys
import django
django.setup()
from django.conf import settings
from apps.merchants.services import deliver
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        settings.FAULT_AT = line.strip()
        deliver.deliver_due()
        os._exit(0)
    print(os.WTERMSIG(os.waitpid(pid, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def foundry(django_db_setup):
    with opened_foundry(FOUNDRY) as opened:
        yield opened


@pytest.fixture
def server():
    with ShopServer() as one:
        yield one


def tell_of_an_order(url):
    shop = open_shop()
    register_endpoint(url, merchant_id=shop.merchant.pk, is_live=True, at=clock.now())
    fact = {
        "order_id": ids.public_id("ord", ids.uuid7()),
        "merchant_id": str(shop.merchant),
        "reference": "INV-1",
        "amount_paise": 49900,
        "transaction_id": "EXB" + "0" * 32,
        "rrn": "532610000123",
        "paid_at": clock.iso(clock.now()),
    }
    event = ReceivedEvent(
        id=ids.uuid7(), type="merchants.order.paid", subject=fact["transaction_id"], sequence=1,
        occurred_at=clock.now(), data=fact,
    )  # fmt: skip
    with transaction.atomic():
        consumers.order_paid(event)


@pytest.mark.parametrize(
    ("point", "heard"), [("webhook.claimed", 1), ("webhook.sent", 2), ("webhook.recorded", 1)]
)
def test_a_killed_sender_is_followed_by_one_that_says_the_same(
    committed, foundry, server, point, heard
):
    tell_of_an_order(server.url)

    assert foundry.fork(point) == signal.SIGKILL
    lease_is_over = clock.now() - dt.timedelta(seconds=1)
    WebhookDelivery.objects.filter(state="PENDING").update(next_action_at=lease_is_over)
    deliver_due()

    assert WebhookDelivery.objects.get().state == "DELIVERED"
    assert len(server.calls) == heard
    assert len({(call.headers["webhook-id"], call.body) for call in server.calls}) == 1
