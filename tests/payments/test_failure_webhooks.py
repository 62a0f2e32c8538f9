"""A merchant is told of payments to it and collects of its that failed: why, as the API says it."""

import orjson
import pytest
from django.db import transaction

from apps.common import clock
from apps.merchants import consumers
from apps.merchants.models import Merchant, WebhookDelivery
from apps.merchants.services.endpoints import register_endpoint
from apps.messaging.contracts import ReceivedEvent
from apps.messaging.models import OutboxEvent
from apps.payments.states import Role
from tests.api.people import open_shop
from tests.payments.asking import RAVI, Asking
from tests.payments.hand import Deal, drain
from tests.payments.payer import enrol_payee, shop_side


def listen(shop):
    register_endpoint(
        "https://shop.example/hook", merchant_id=shop.merchant.pk, is_live=True, at=clock.now()
    )


def told():
    """Let the merchant hear of the one failure; return what the webhook says."""
    fact = OutboxEvent.objects.get(type="payments.receipt.failed")
    received = ReceivedEvent(
        id=fact.pk, type=fact.type, subject=fact.subject, sequence=1,
        occurred_at=fact.created_at, data=fact.data,
    )  # fmt: skip
    with transaction.atomic():
        consumers.payment_failed(received)
    delivery = WebhookDelivery.objects.get()
    assert delivery.event_type == "payment.failed"
    assert b"@" not in bytes(delivery.body), "it names no person"
    return orjson.loads(bytes(delivery.body))["data"]["object"]


@pytest.fixture
def shop(hand):
    shop = open_shop()
    listen(shop)
    return shop


def test_a_failed_payment_of_an_order_is_told_with_its_explanation(hand, shop):
    order = shop.order(amount=14950).json()
    deal = Deal(payer=RAVI, payee=shop_side(hand, shop), reference=order["reference"])
    hand.authorise(deal)
    drain(Role.PAYEE_PSP)

    hand.confirm(deal, "FAILURE", "U30~Z9")

    said = told()
    (shown,) = shop.client.get("/v1/payments").json()["data"]
    assert said["failure"] == shown["failure"]
    assert (said["failure"]["class"], said["failure"]["upi_code"]) == ("BD", "U30~Z9")
    assert (said["id"], said["order"], said["collect"]) == (shown["id"], order["id"], None)
    assert (said["status"], said["amount"]) == (shown["status"], shown["amount"])
    assert said["upi"]["response_code"] == shown["upi"]["response_code"]


@pytest.mark.parametrize(("code", "kind"), [("U69", "BD"), ("U19~S1", "BD"), ("U67", "TD")])
def test_a_collect_that_is_not_paid_is_told_with_its_class(hand, code, kind):
    asking = Asking(hand)
    listen(asking.shop)
    shown, deal = asking.ask()

    hand.answer_payment(deal, "FAILURE", code, kind="COLLECT")

    said, ended = told(), asking.see(shown)
    assert said["failure"] == ended["failure"]
    assert said["failure"]["class"] == kind
    assert (said["collect"], said["id"]) == (ended["id"], ended["payment"])
    assert said["order"] == asking.order["id"]


def test_a_payment_that_we_refuse_for_a_merchant_is_told_too(hand, shop):
    deal = Deal(payer=RAVI, payee=shop_side(hand, shop))
    Merchant.objects.update(state="SUSPENDED")

    hand.authorise(deal)
    drain(Role.PAYEE_PSP)

    assert told()["failure"]["upi_code"] == "ZB"


def test_nobody_is_told_of_payments_to_people_or_that_succeed(hand, shop):
    good = Deal(payer=RAVI, payee=shop_side(hand, shop))
    hand.authorise(good)
    person = Deal(payer=RAVI, payee=enrol_payee(hand))
    hand.authorise(person)
    drain(Role.PAYEE_PSP)

    hand.confirm(good)
    hand.confirm(person, "FAILURE", "U68")

    assert not OutboxEvent.objects.filter(type="payments.receipt.failed").exists()
