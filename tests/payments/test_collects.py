"""Our merchants ask payers for what their orders cost, and hear how that ended."""

import datetime as dt

import pytest

from apps.common import clock
from apps.messaging.models import OutboxEvent
from apps.payments.models import FlowRule, Leg
from apps.payments.open_items import open_items
from apps.payments.services import settle
from apps.payments.states import Role
from tests.api.people import open_shop
from tests.payments.asking import RAVI, Asking, due, expire
from tests.payments.hand import drain, history, leg, state


@pytest.fixture
def asking(hand):
    return Asking(hand)


def test_a_merchant_asks_with_account_block_and_expiry(hand, asking):
    shown, deal = asking.ask(expires_in_minutes=20)

    (sent,) = hand.posted("ReqPay", deal.id)
    txn, payee = sent.find("Txn"), sent.find("Payees/Payee")
    assert (txn.get("type"), txn.get("refId")) == ("COLLECT", asking.order["reference"])
    assert txn.find("Rules/Rule").attrib == {"name": "EXPIREAFTER", "value": "20"}
    assert sent.find("Payer").get("addr") == RAVI.address
    assert sent.find("Payer/Creds") is None
    assert payee.find("Device") is not None
    details = {detail.get("name"): detail.get("value") for detail in payee.findall("Ac/Detail")}
    assert details["ACNUM"] == asking.side.number
    assert payee.find("Merchant/Identifier").get("subCode") == "5942"
    assert (shown["status"], shown["payer_vpa"]) == ("created", "ra***@smplbank")
    assert history(deal, Role.PAYEE_PSP) == ["CREATED", "SENDING"]
    assert asking.see(shown)["status"] == "pending"


def test_a_collect_that_is_paid_pays_its_order_once(hand, asking):
    shown, deal = asking.ask()
    credit = hand.credit(deal, sub_type="COLLECT")
    drain(Role.CREDIT)
    assert asking.order_status() == "paid"

    assert hand.answer_payment(deal, kind="COLLECT").err == ""

    assert credit.code == "00"
    ended = asking.see(shown)
    assert (ended["status"], ended["finality"]) == ("succeeded", "final")
    assert OutboxEvent.objects.filter(type="merchants.order.paid").count() == 1
    payment = asking.shop.client.get(f"/v1/payments/{ended['payment']}").json()
    assert (payment["status"], payment["order"]) == ("succeeded", asking.order["id"])
    assert open_items() == []


@pytest.mark.parametrize("code", ["U69", "U19~ZA", "U19~TM"])
def test_a_collect_that_is_not_paid_leaves_its_order_to_others(hand, asking, code):
    shown, deal = asking.ask()

    hand.answer_payment(deal, "FAILURE", code, kind="COLLECT")

    ended = asking.see(shown)
    assert (ended["status"], ended["failure"]["upi_code"]) == ("failed", code)
    assert asking.order_status() == "created"
    assert asking.post().status_code == 202


def test_the_same_key_and_body_again_is_the_same_collect(asking):
    first, again = asking.post("key-1"), asking.post("key-1")

    assert (first.status_code, again.status_code) == (202, 200)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert asking.post("key-1", expires_in_minutes=3).json()["code"] == "idempotency_mismatch"
    assert Leg.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"payer_vpa": "nobody"},          400, "invalid_vpa"),
        ({"expires_in_minutes": 0},        400, "invalid_member"),
        ({"expires_in_minutes": True},     400, "invalid_member"),
        ({"expires_in_minutes": 100_000},  400, "invalid_expiry"),
        ({"amount": 100},                  400, "unknown_member"),
        ({"order": "ord_nonsense"},        404, "not_found"),
        ({"order": 7},                     400, "invalid_member"),
    ],
)  # fmt: skip
def test_a_collect_of_another_form_is_refused_and_writes_nothing(asking, body, status, code):
    answer = asking.post(**body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Leg.objects.exists()


def test_an_order_that_is_paid_is_asked_for_no_more(hand, asking):
    _, deal = asking.ask()
    hand.answer_payment(deal, kind="COLLECT")

    assert asking.post().json()["code"] == "order_not_payable"


def test_a_test_key_asks_nobody(hand):
    shop = open_shop(is_live=False)
    order = shop.order(amount=100).json()
    body = {"order": order["id"], "payer_vpa": RAVI.address}
    headers = {"Idempotency-Key": "k"}

    answer = shop.client.post("/v1/collects", body, format="json", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (403, "live_key_required")


def test_a_dated_rule_ends_the_collects_of_merchants(asking):
    today = clock.business_date(clock.now())
    FlowRule.objects.filter(flow="COLLECT_MERCHANT").update(valid_to_date=today)

    assert asking.post().json()["code"] == "collect_not_allowed"
    assert not Leg.objects.exists()


def test_a_collect_is_asked_about_only_after_it_has_expired(hand, asking):
    _, deal = asking.ask(expires_in_minutes=20)
    waiting = leg(deal, Role.PAYEE_PSP)
    assert (waiting.next_action_at - waiting.expires_at).total_seconds() == pytest.approx(90, abs=2)

    due()
    drain(Role.PAYEE_PSP)
    assert hand.posted("ReqChkTxn") == []

    expire()
    drain(Role.PAYEE_PSP)
    (check,) = hand.posted("ReqChkTxn")
    txn = check.find("Txn")
    assert (txn.get("initiatedBy"), txn.get("subType")) == ("PAYEE", "COLLECT")
    hand.answer_check(deal)
    assert history(deal, Role.PAYEE_PSP) == ["CREATED", "SENDING", "UNKNOWN", "CONFIRMED"]
    assert asking.order_status() == "paid"


def test_absence_from_two_files_ends_no_collect_that_may_still_be_paid(hand, asking):
    _, deal = asking.ask()
    start = clock.day_start(clock.business_date(clock.now()))
    Leg.objects.update(expires_at=start + dt.timedelta(days=3))

    settle.apply_absence(start=start, end=start + dt.timedelta(days=1))
    assert state(deal, Role.PAYEE_PSP) == "SENDING"

    settle.apply_absence(start=start, end=start + dt.timedelta(days=4))
    assert state(deal, Role.PAYEE_PSP) == "FAILED"
