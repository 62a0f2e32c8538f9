"""What a merchant gives back: bounded by what was paid, sent once, told when it has ended."""

import datetime as dt
from dataclasses import replace

import orjson
import pytest
from django.db import transaction

from apps.accounts.selectors import account_ids_by_number
from apps.common import clock
from apps.common.clock import business_date
from apps.common.money import Money
from apps.ledger.selectors import books_sum
from apps.merchants import consumers
from apps.merchants.models import Order, WebhookDelivery
from apps.merchants.services.endpoints import register_endpoint
from apps.messaging.contracts import ReceivedEvent
from apps.messaging.models import IdempotencyKey, OutboxEvent
from apps.payments.models import Leg, LegKey, Refund, RefundBound
from apps.payments.open_items import ItemKind, open_items
from apps.payments.states import Role
from apps.payments.timeline import timeline_of
from apps.risk.selectors import used_on
from tests.api.people import open_shop
from tests.api.race import at_once
from tests.bank_host import held, posted
from tests.payments.hand import Deal, Side, drain, history, state
from tests.payments.payer import enrol_payer, shop_side
from tests.payments.sale import ABROAD, PAID, Sale, due


@pytest.fixture
def sale(hand):
    shop = open_shop()
    return Sale(hand, shop, shop_side(hand, shop))


def test_a_refund_names_its_original_and_is_debited_from_the_merchant_without_a_pin(hand, sale):
    shown, deal = sale.refund(amount=5000, reference="RET-1")

    (sent,) = hand.posted("ReqPay", deal.id)
    txn, payer, payee = sent.find("Txn"), sent.find("Payer"), sent.find("Payees/Payee")
    assert (txn.get("type"), txn.get("orgTxnId")) == ("REFUND", sale.deal.id)
    assert (txn.get("orgRrn"), txn.get("refId")) == (sale.deal.rrn, "RET-1")
    assert (payer.get("addr"), payee.get("addr")) == (sale.side.address, ABROAD.address)
    assert payer.find("Creds/Cred").get("type") == "PreApproved"
    assert [amount.get("value") for amount in sent.iter("Amount")] == ["50.00", "50.00"]
    assert (shown["status"], shown["reason"]) == ("pending", "requested")

    debit = hand.refund_debit(deal)
    drain(Role.DEBIT)

    assert debit.code == "00"
    assert history(deal, Role.DEBIT) == ["RECEIVED", "VERIFIED", *posted()]
    assert held(sale.side.number) == Money(PAID - 5000)
    assert books_sum() == Money(0)


def test_a_refund_ends_as_the_switch_says_and_the_payment_shows_it(hand, sale):
    shown, deal = sale.refund(amount=5000)
    hand.refund_debit(deal)
    drain(Role.DEBIT)

    assert hand.answer_payment(deal, kind="REFUND").err == ""

    ended = sale.see(shown)
    assert (ended["status"], ended["finality"]) == ("succeeded", "final")
    assert ended["upi"] == {"txn_id": deal.id, "rrn": deal.rrn, "response_code": "00"}
    assert ended["payment"] == sale.payment_id
    payment = sale.shop.client.get(f"/v1/payments/{sale.payment_id}").json()
    assert (payment["status"], payment["amount_refunded"]) == ("succeeded", 5000)
    assert [row["id"] for row in sale.shop.client.get("/v1/refunds").json()["data"]] == [
        ended["id"]
    ]
    listed = sale.shop.client.get(f"/v1/payments/{sale.payment_id}/refunds").json()
    assert listed["data"] == [ended]
    steps = [step.text for step in timeline_of(sale.deal.id).steps]
    assert "refund of ₹50.00 opened: requested" in steps
    assert "refund of ₹50.00 ended: SUCCEEDED" in steps
    assert open_items() == []


def test_many_refunds_come_to_the_payment_and_not_to_a_paisa_more(sale):
    assert sale.ask(amount=10000).status_code == 202
    assert sale.ask(amount=4951).json()["code"] == "refund_exceeds_payment"
    assert sale.ask().json()["amount"] == 4950
    assert sale.ask().json()["code"] == "refund_exceeds_payment"
    assert sale.ask(amount=1).json()["code"] == "refund_exceeds_payment"
    assert (sale.left, Refund.objects.count()) == (0, 2)


def test_of_fifty_refunds_at_once_those_that_fit_are_made(sale):
    answers = at_once([lambda: sale.ask(amount=1000) for _ in range(50)])

    codes = [answer.status_code for answer in answers]
    assert (codes.count(202), codes.count(422)) == (14, 36)
    assert (sale.left, Refund.objects.count()) == (950, 14)
    assert LegKey.objects.filter(kind="REFUND").count() == 14


def test_the_bound_is_a_constraint(sale):
    sale.ask(amount=1000)

    with pytest.raises(Exception, match="refunds_are_within_the_payment"):
        RefundBound.objects.update(refunded_paise=PAID + 1)


def test_the_same_key_and_body_again_is_the_same_refund(sale):
    first = sale.ask("key-1", amount=1000)
    again = sale.ask("key-1", amount=1000)

    assert (first.status_code, again.status_code) == (202, 200)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert sale.ask("key-1", amount=1001).json()["code"] == "idempotency_mismatch"
    assert Refund.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"amount": 0},                       "invalid_amount"),
        ({"amount": "50.00"},                 "invalid_amount"),
        ({"amount": True},                    "invalid_amount"),
        ({"amount": 100, "currency": "USD"},  "invalid_currency"),
        ({"reference": "no spaces please"},   "invalid_member"),
        ({"to": "me@exbank"},                 "unknown_member"),
    ],
)  # fmt: skip
def test_a_request_of_another_form_is_refused_and_writes_nothing(sale, body, code):
    keys = IdempotencyKey.objects.count()

    answer = sale.ask(**body)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not Refund.objects.exists()
    assert IdempotencyKey.objects.count() == keys


@pytest.mark.parametrize(
    ("_case", "content", "headers", "status", "code"),
    [
        ("nothing",   b"",             {},                               400, "malformed_json"),
        ("in pieces", b'{"amount":1}', {"Transfer-Encoding": "chunked"}, 411, "length_required"),
    ],
)  # fmt: skip
def test_a_body_that_nobody_reads_is_no_request_for_all(
    sale, _case, content, headers, status, code
):
    path = f"/v1/payments/{sale.payment_id}/refunds"
    answer = sale.shop.client.post(
        path,
        content,
        content_type="application/json",
        headers={"Idempotency-Key": "key-1"} | headers,
    )

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Refund.objects.exists()


def test_a_payment_that_has_not_succeeded_gives_nothing_back(hand, sale):
    sale.deal = sale.pay("ORD-OTHER", is_confirmed=False)

    assert sale.ask().json()["code"] == "payment_not_refundable"

    hand.confirm(sale.deal, "FAILURE", "U68")
    assert sale.ask().json()["code"] == "payment_not_refundable"
    assert not Refund.objects.exists()


def test_a_payment_of_long_ago_gives_nothing_back(sale):
    long_ago = clock.now() - dt.timedelta(days=91)
    Leg.objects.filter(role="PAYEE_PSP").update(received_at=long_ago)

    assert sale.ask().json()["code"] == "refund_too_late"
    assert not Refund.objects.exists()


def test_anothers_payment_and_refund_are_not_found(sale):
    refund = sale.ask(amount=100).json()
    other = open_shop("Other Shop")

    assert other.client.get(f"/v1/refunds/{refund['id']}").status_code == 404
    assert other.client.get("/v1/refunds").json()["data"] == []
    path = f"/v1/payments/{sale.payment_id}/refunds"
    headers = {"Idempotency-Key": "k"}
    assert other.client.post(path, {}, format="json", headers=headers).status_code == 404


def test_a_failed_refund_gives_its_share_of_the_payment_back(hand, sale):
    shown, deal = sale.refund()
    assert sale.left == 0

    hand.answer_payment(deal, "FAILURE", "U31~XI", kind="REFUND")

    ended = sale.see(shown)
    assert (ended["status"], ended["failure"]["upi_code"]) == ("failed", "U31~XI")
    assert sale.left == PAID
    assert sale.ask().status_code == 202
    assert open_items(ItemKind.REFUND_OWED) == []


def test_an_unknown_refund_keeps_its_share_until_a_check_proves_its_end(hand, sale):
    hand.switch.plan = ["silent"]
    shown, deal = sale.refund()
    assert (state(deal, Role.PAYER_PSP), sale.left) == ("UNKNOWN", 0)
    assert sale.see(shown)["status"] == "pending"
    assert [item.role for item in open_items(ItemKind.UNKNOWN)] == ["PAYER_PSP"]

    due()
    drain(Role.PAYER_PSP)
    (check,) = hand.posted("ReqChkTxn")
    assert check.find("Txn").get("subType") == "REFUND"
    hand.answer_check(deal, "FAILURE", "U48")
    assert (state(deal, Role.PAYER_PSP), sale.left) == ("UNKNOWN", 0)

    hand.answer_check(deal, "FAILURE", "U48")
    due()
    drain(Role.PAYER_PSP)
    hand.answer_check(deal, "FAILURE", "U30~Z9")
    assert (sale.see(shown)["status"], sale.left) == ("failed", PAID)


def test_a_debit_without_a_pin_is_taken_for_a_refund_of_ours_only(hand, sale):
    stranger = hand.account()

    refused = hand.refund_debit(Deal(payer=stranger, payee=ABROAD))
    assert refused.err == "U51"

    _, deal = sale.refund(amount=100)
    elsewhere = Deal(**{**vars_of(deal), "payer": side_with(sale.side, stranger.number)})
    assert hand.refund_debit(elsewhere).err == "U51"
    assert not Leg.objects.filter(role="DEBIT").exists()

    hand.answer_payment(deal, "FAILURE", "U20", kind="REFUND")
    assert hand.refund_debit(deal).err == "U51"
    assert held(stranger.number) == Money(100_000)


def vars_of(deal):
    return {name: getattr(deal, name) for name in Deal.__slots__}


def side_with(side, number):
    return Side(address=side.address, number=number, name=side.name, merchant=side.merchant)


def test_a_refund_debit_that_is_reversed_is_back_with_the_merchant(hand, sale):
    _, deal = sale.refund()
    hand.refund_debit(deal)
    drain(Role.DEBIT)

    reversal = hand.reversal(deal, "DEBIT")
    drain(Role.REVERSAL)

    assert reversal.code == "00"
    assert held(sale.side.number) == Money(PAID)
    assert books_sum() == Money(0)


def test_refunds_are_no_payments_of_the_merchants_day(hand, sale):
    _, deal = sale.refund()
    hand.refund_debit(deal)
    drain(Role.DEBIT)

    account_id = account_ids_by_number([sale.side.number])[sale.side.number]
    assert used_on(account_id, business_date(clock.now())) == (Money(0), 0)


def test_a_merchant_without_the_money_refunds_nothing(hand, sale):
    _, first = sale.refund(amount=PAID)
    hand.refund_debit(first)
    drain(Role.DEBIT)
    again = Sale(hand, sale.shop, sale.side)
    _, spent = again.refund(amount=PAID)
    hand.refund_debit(spent)
    drain(Role.DEBIT)
    hand.answer_payment(spent, "FAILURE", "U68", kind="REFUND")
    _, late = again.refund(amount=PAID)

    sent = hand.refund_debit(late)
    drain(Role.DEBIT)

    assert sent.code == "Z9"


def test_money_given_back_reaches_the_account_it_came_from(hand, sale):
    asha = enrol_payer(hand, paise=0)
    other = hand.plain_account("001234567888")
    back = Deal(payer=sale.side, payee=side_with(asha.side, other.number))

    sent = hand.credit(back, sub_type="REFUND")
    drain(Role.CREDIT)
    told = hand.confirm(back, kind="REFUND")
    drain()

    assert (sent.code, told.err, told.code) == ("00", "", "00")
    assert held(other.number) == back.amount


def test_what_our_merchants_give_back_reaches_nobody_but_who_paid(hand):
    asha, shop = enrol_payer(hand, paise=PAID), open_shop()
    other = hand.plain_account("001234567888")
    sale = Sale(hand, shop, shop_side(hand, shop), payer=asha.side)
    hand.debit(sale.deal)
    drain(Role.DEBIT)
    _, back = sale.refund()

    sent = hand.credit(replace(back, payee=side_with(asha.side, other.number)), sub_type="REFUND")
    drain(Role.CREDIT)

    assert sent.code == "B6"
    assert held(other.number) == Money(0)


@pytest.mark.parametrize("reason", ["DUPLICATE", "EXPIRED"])
def test_what_a_merchant_may_not_keep_goes_back_by_itself(hand, sale, reason):
    reference = sale.deal.reference
    if reason == "EXPIRED":
        reference = sale.shop.order(amount=PAID).json()["reference"]
        expire(reference)
    extra = sale.pay(reference, is_confirmed=False)
    refund = Refund.objects.get()
    assert (refund.transaction_id, refund.reason, refund.state) == (extra.id, reason, "OPENED")
    assert [item.exposure for item in open_items(ItemKind.REFUND_OWED)] == [Money(PAID)]

    hand.confirm(extra)
    drain(Role.PAYER_PSP)

    refund.refresh_from_db()
    deal = sale.deal_of(refund.refund_transaction_id)
    (sent,) = hand.posted("ReqPay", deal.id)
    assert sent.find("Txn").get("orgTxnId") == extra.id
    assert open_items(ItemKind.REFUND_OWED) == []
    hand.answer_payment(deal, kind="REFUND")
    refund.refresh_from_db()
    assert refund.state == "SUCCEEDED"
    (shown,) = sale.shop.client.get("/v1/refunds").json()["data"]
    assert (shown["reason"], shown["status"]) == (reason.lower(), "succeeded")


def expire(reference):
    past = clock.now() - dt.timedelta(minutes=1)
    Order.objects.filter(reference=reference).update(expires_at=past)


def test_what_is_owed_and_failed_to_go_back_is_listed_until_it_does(hand, sale):
    sale.deal = sale.pay(sale.deal.reference)
    drain(Role.PAYER_PSP)
    failed = sale.deal_of(Refund.objects.get().refund_transaction_id)
    hand.answer_payment(failed, "FAILURE", "U31~XI", kind="REFUND")
    assert [item.code for item in open_items(ItemKind.REFUND_OWED)] == ["U31~XI"]

    assert sale.ask().status_code == 202

    assert open_items(ItemKind.REFUND_OWED) == []


@pytest.mark.parametrize(
    ("result", "code", "told"),
    [("SUCCESS", "", "refund.succeeded"), ("FAILURE", "U31~XI", "refund.failed"),
     ("DEEMED", "RB", None)],
)  # fmt: skip
def test_the_merchant_is_told_how_a_refund_ended(hand, sale, result, code, told):
    register_endpoint(
        "https://shop.example/hook", merchant_id=sale.shop.merchant.pk, is_live=True, at=clock.now()
    )
    shown, deal = sale.refund(amount=5000)
    hand.answer_payment(deal, result, code, kind="REFUND")

    fact = OutboxEvent.objects.get(type="payments.refund.completed")
    consume(fact)

    found = list(WebhookDelivery.objects.values_list("event_type", flat=True))
    assert found == ([told] if told else [])
    if told:
        said = orjson.loads(bytes(WebhookDelivery.objects.get().body))["data"]["object"]
        assert (said["id"], said["failure"]) == (shown["id"], sale.see(shown)["failure"])


def consume(fact):
    received = ReceivedEvent(
        id=fact.pk, type=fact.type, subject=fact.subject, sequence=1,
        occurred_at=fact.created_at, data=fact.data,
    )  # fmt: skip
    with transaction.atomic():
        consumers.refund_completed(received)
