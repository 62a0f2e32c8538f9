"""The payer's PSP: a payment is sent once, and ends only by somebody's word (payments.md 2, 6)."""

from dataclasses import replace

import pytest
from django.utils.dateparse import parse_datetime

from apps.messaging.models import OutboxEvent
from apps.payments.models import Contradiction, Leg, StatusCheck
from apps.payments.open_items import ItemKind, open_items
from apps.payments.services import send
from apps.payments.states import Role
from apps.upi import timers
from apps.upi.models import Exchange, PinBlock
from apps.upi.timer_models import Timer
from tests.payments.hand import Deal, Side, drain, history, leg, state
from tests.payments.payer import enrol_payee, enrol_payer

ABROAD = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")


@pytest.fixture
def asha(hand):
    return enrol_payer(hand)


def test_a_payment_is_accepted_sent_and_answered(hand, asha):
    deal = asha.pay(ABROAD)
    assert state(deal, Role.PAYER_PSP) == "CREATED"
    assert asha.see(deal)["status"] == "created"
    assert PinBlock.objects.count() == 1

    drain(Role.PAYER_PSP)
    (request,) = hand.posted("ReqPay", deal.id)
    assert request.find("Payer").get("addr") == "asha@exbank"
    assert request.find("Payer/Amount").get("value") == "149.50"
    assert request.find("Txn").get("custRef") == deal.rrn
    assert request.find("Payer/Creds/Cred/Data").text.startswith("2.0|")
    assert asha.see(deal)["status"] == "pending"
    assert not PinBlock.objects.exists()

    assert hand.answer_payment(deal).err == ""
    assert history(deal, Role.PAYER_PSP) == ["CREATED", "SENDING", "SUCCESS"]
    shown = asha.see(deal)
    assert (shown["status"], shown["finality"], shown["failure"]) == ("succeeded", "final", None)
    assert [event.type for event in OutboxEvent.objects.filter(subject=deal.id)] == [
        "payments.transaction.accepted",
        "payments.transaction.completed",
    ]


def test_a_payment_to_an_account_and_its_branch_is_sent_as_it_is_addressed(hand, asha):
    deal = asha.pay(replace(ABROAD, address="009876500001@smpl0000002.ifsc.npci"))
    drain(Role.PAYER_PSP)

    (request,) = hand.posted("ReqPay", deal.id)
    assert request.find("Payees/Payee").get("addr") == "009876500001@smpl0000002.ifsc.npci"
    assert hand.answer_payment(deal).err == ""
    assert asha.see(deal)["status"] == "succeeded"


def test_a_failure_names_the_banks_own_reason(hand, asha):
    deal = asha.pay(ABROAD)
    drain(Role.PAYER_PSP)

    hand.answer_payment(deal, "FAILURE", "U30~Z9")

    shown = asha.see(deal)
    assert (shown["status"], shown["finality"]) == ("failed", "final")
    assert shown["failure"]["code"] == "insufficient_funds"
    assert shown["failure"]["upi_code"] == "U30~Z9"


def test_a_deemed_payment_is_neither_done_nor_failed_to_its_payer(hand, asha):
    deal = asha.pay(ABROAD)
    drain(Role.PAYER_PSP)

    hand.answer_payment(deal, "DEEMED", "RB")

    assert state(deal, Role.PAYER_PSP) == "DEEMED"
    shown = asha.see(deal)
    assert (shown["status"], shown["finality"]) == ("pending", "provisional")


def test_the_answer_may_come_before_our_ack_was_read(hand, asha, monkeypatch):
    deal = asha.pay(ABROAD)
    post = send.send_requests

    def answered_at_once(requests):
        outcomes = post(requests)
        assert hand.answer_payment(deal).err == ""
        return outcomes

    monkeypatch.setattr(send, "send_requests", answered_at_once)
    drain(Role.PAYER_PSP)

    assert history(deal, Role.PAYER_PSP) == ["CREATED", "SENDING", "SUCCESS"]
    assert leg(deal, Role.PAYER_PSP).claim is None
    assert Exchange.objects.get(pk=leg(deal, Role.PAYER_PSP).exchange_id).state == "ACKED"


def test_a_negative_ack_fails_the_payment_and_it_is_never_asked_about(hand, asha):
    deal = asha.pay(ABROAD)
    hand.switch.plan = ["nack:U17"]

    drain(Role.PAYER_PSP)

    assert history(deal, Role.PAYER_PSP) == ["CREATED", "SENDING", "FAILED"]
    assert leg(deal, Role.PAYER_PSP).code == "U17"
    assert leg(deal, Role.PAYER_PSP).next_action_at is None


def test_a_negative_ack_for_a_duplicate_is_no_failure(hand, asha):
    deal = asha.pay(ABROAD)
    hand.switch.plan = ["nack:U01"]

    drain(Role.PAYER_PSP)

    assert history(deal, Role.PAYER_PSP) == ["CREATED", "SENDING", "UNKNOWN"]


def test_silence_leaves_it_unknown_and_it_is_never_sent_again(hand, asha):
    deal = asha.pay(ABROAD)
    hand.switch.plan = ["silent"]

    drain(Role.PAYER_PSP)
    Leg.objects.update(next_action_at="2000-01-01T00:00:00Z")
    drain(Role.PAYER_PSP)

    assert history(deal, Role.PAYER_PSP) == ["CREATED", "SENDING", "UNKNOWN"]
    assert len(hand.posted("ReqPay", deal.id)) == 1
    (item,) = open_items(ItemKind.UNKNOWN)
    assert (item.transaction_id, item.exposure) == (deal.id, deal.amount)
    assert item.owner.startswith("operations")


def test_what_never_left_is_sent_again_by_the_claims_holder(hand, asha, settings):
    deal = asha.pay(ABROAD)
    url, settings.UPI_SWITCH_URL = settings.UPI_SWITCH_URL, "http://127.0.0.1:9"

    drain(Role.PAYER_PSP)
    assert history(deal, Role.PAYER_PSP) == ["CREATED", "SENDING", "CREATED"]
    assert asha.see(deal)["status"] == "pending", "nobody sees a status go back"
    assert PinBlock.objects.count() == 1

    settings.UPI_SWITCH_URL = url
    Leg.objects.update(next_action_at="2000-01-01T00:00:00Z")
    drain(Role.PAYER_PSP)

    assert len(hand.posted("ReqPay", deal.id)) == 1
    assert hand.answer_payment(deal).err == ""
    assert state(deal, Role.PAYER_PSP) == "SUCCESS"


def test_only_the_claims_holder_releases_an_unsent_payment(hand, asha):
    deal = asha.pay(ABROAD)
    claim, jobs, requests = send._claim_due(Role.PAYER_PSP, None)
    Leg.objects.update(claim=None)

    send._record(claim, jobs, send.unsent(requests))

    assert state(deal, Role.PAYER_PSP) == "SENDING"


def test_a_payment_whose_credential_is_gone_fails_unsent(hand, asha):
    deal = asha.pay(ABROAD)
    PinBlock.objects.all().delete()

    drain(Role.PAYER_PSP)

    assert hand.posted("ReqPay") == []
    shown = asha.see(deal)
    assert (shown["status"], shown["failure"]["code"]) == ("failed", "not_sent")


def test_a_sender_that_died_leaves_the_payment_unknown_never_sent_twice(hand, asha, settings):
    deal = asha.pay(ABROAD)
    send._claim_due(Role.PAYER_PSP, None)
    settings.UPI_TIMERS_FIXED = settings.UPI_TIMERS_FIXED | {Timer.CHECK_FIRST_AFTER: 0}
    Leg.objects.update(next_action_at="2000-01-01T00:00:00Z")

    drain(Role.PAYER_PSP)

    assert history(deal, Role.PAYER_PSP) == ["CREATED", "SENDING", "UNKNOWN"]
    assert hand.posted("ReqPay") == []
    (check,) = hand.posted("ReqChkTxn")
    assert check.find("Txn").get("orgTxnId") == deal.id


def test_the_first_check_waits_ninety_seconds_from_the_sending(hand, asha, settings):
    settings.UPI_TIMERS_FIXED = settings.UPI_TIMERS_FIXED | {Timer.CHECK_FIRST_AFTER: 90}
    deal = asha.pay(ABROAD)
    send._claim_due(Role.PAYER_PSP, None)
    Leg.objects.update(next_action_at="2000-01-01T00:00:00Z")

    drain(Role.PAYER_PSP)

    assert state(deal, Role.PAYER_PSP) == "UNKNOWN"
    assert hand.posted("ReqChkTxn") == []
    found = leg(deal, Role.PAYER_PSP)
    wait = (found.next_action_at - found.changed_at).total_seconds()
    assert 85 < wait <= 90


def unknown(hand, asha):
    deal = asha.pay(ABROAD)
    hand.switch.plan = ["silent"]
    drain(Role.PAYER_PSP)
    due()
    drain(Role.PAYER_PSP)
    assert len(hand.posted("ReqChkTxn")) == 1
    return deal


def due():
    Leg.objects.filter(next_action_at__isnull=False).update(next_action_at="2000-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("result", "code", "target", "status"),
    [
        ("SUCCESS", "",       "SUCCESS", "succeeded"),
        ("DEEMED",  "RB",     "DEEMED",  "pending"),
        ("FAILURE", "U30~Z9", "FAILED",  "failed"),
        ("FAILURE", "U48",    "UNKNOWN", "pending"),
        ("PARTIAL", "",       "UNKNOWN", "pending"),
    ],
)  # fmt: skip
def test_a_check_ends_it_only_by_proof(hand, asha, result, code, target, status):
    deal = unknown(hand, asha)

    assert hand.answer_check(deal, result, code).err == ""

    assert state(deal, Role.PAYER_PSP) == target
    assert asha.see(deal)["status"] == status
    assert StatusCheck.objects.get().answered_at is not None


def test_at_most_three_checks_are_asked(hand, asha):
    deal = unknown(hand, asha)

    for _ in range(5):
        hand.answer_check(deal, "FAILURE", "U48")
        due()
        drain(Role.PAYER_PSP)

    assert len(hand.posted("ReqChkTxn")) == 3
    assert leg(deal, Role.PAYER_PSP).next_action_at is None
    assert [item.transaction_id for item in open_items(ItemKind.UNKNOWN)] == [deal.id]


def test_the_three_checks_lie_within_the_window(hand, asha, settings):
    deal = unknown(hand, asha)
    first = leg(deal, Role.PAYER_PSP).next_action_at
    asked_at = StatusCheck.objects.get().asked_at
    assert (first - asked_at).total_seconds() == pytest.approx(900, abs=5)

    due()
    drain(Role.PAYER_PSP)

    second = leg(deal, Role.PAYER_PSP).next_action_at
    asked_at = StatusCheck.objects.get(number=2).asked_at
    assert (second - asked_at).total_seconds() == pytest.approx(3600, abs=5)
    assert timers.seconds(Timer.CHECK_WINDOW) > 90 + 900 + 3600


def test_a_check_that_never_left_does_not_count(hand, asha, settings):
    deal = asha.pay(ABROAD)
    hand.switch.plan = ["silent"]
    drain(Role.PAYER_PSP)
    due()
    settings.UPI_SWITCH_URL = "http://127.0.0.1:9"

    drain(Role.PAYER_PSP)

    assert not StatusCheck.objects.exists()
    assert leg(deal, Role.PAYER_PSP).checks == 0
    assert leg(deal, Role.PAYER_PSP).next_action_at is not None


def test_the_first_end_stands_and_another_is_listed(hand, asha):
    deal = unknown(hand, asha)
    hand.answer_check(deal, "FAILURE", "U30~Z9")

    assert hand.answer_payment(deal, "SUCCESS").err == ""

    assert state(deal, Role.PAYER_PSP) == "FAILED"
    told = Contradiction.objects.get()
    assert (told.state, told.told, told.source) == ("FAILED", "SUCCESS", "RespPay")
    (item,) = open_items(ItemKind.CONTRADICTED)
    assert item.transaction_id == deal.id


@pytest.mark.parametrize("told", [{"paise": 1}, {"is_settled": False}])
def test_an_answer_about_another_amount_is_refused(hand, asha, told):
    deal = asha.pay(ABROAD)
    drain(Role.PAYER_PSP)

    answer = hand.answer_payment(deal, **told)

    assert answer.err == "U12"
    assert state(deal, Role.PAYER_PSP) == "SENDING"


@pytest.mark.parametrize(
    ("_case", "told", "code"),
    [
        ("another RRN",   lambda deal: replace(deal, rrn="632700000000"),   "U07"),
        ("another payer", lambda deal: replace(deal, payer=deal.payee),     "U60"),
        ("another payee", lambda deal: replace(deal, payee=deal.payer),     "U59"),
    ],
)  # fmt: skip
def test_an_answer_about_another_payment_is_refused(hand, asha, _case, told, code):
    deal = asha.pay(ABROAD)
    drain(Role.PAYER_PSP)

    answer = hand.answer_payment(told(deal))

    assert answer.err == code
    assert state(deal, Role.PAYER_PSP) == "SENDING"


def test_an_answer_for_a_payment_never_sent_is_refused(hand, asha):
    known = asha.pay(ABROAD)
    drain(Role.PAYER_PSP)
    stranger = Deal(payer=known.payer, payee=ABROAD)
    request = hand.posted("ReqPay", known.id)[-1]
    hand.posted = lambda *_: [request]

    answer = hand.answer_payment(stranger)

    assert answer.err == "U06"
    assert state(known, Role.PAYER_PSP) == "SENDING"


def test_our_own_debit_and_credit_never_end_it(hand, asha):
    ravi = enrol_payee(hand)
    deal = asha.pay(ravi)
    hand.switch.plan = ["silent"]
    drain(Role.PAYER_PSP)
    hand.debit(deal)
    drain(Role.DEBIT)
    hand.credit(deal)
    drain(Role.CREDIT)

    assert state(deal, Role.DEBIT) == "POSTED"
    assert state(deal, Role.CREDIT) == "POSTED"
    assert state(deal, Role.PAYER_PSP) == "UNKNOWN"


def test_a_repeated_answer_changes_nothing(hand, asha):
    deal = asha.pay(ABROAD)
    drain(Role.PAYER_PSP)
    hand.answer_payment(deal)
    events = OutboxEvent.objects.count()

    assert hand.answer_payment(deal).err == ""

    assert history(deal, Role.PAYER_PSP) == ["CREATED", "SENDING", "SUCCESS"]
    assert OutboxEvent.objects.count() == events
    assert not Contradiction.objects.exists()


def test_the_rrn_names_the_day_and_the_hour(hand, asha):
    deal = asha.pay(ABROAD)

    shown = asha.see(deal)
    made = parse_datetime(shown["created_at"])
    assert shown["rrn"][:6] == f"{made.year % 10}{made:%j%H}"
    assert len(shown["rrn"]) == 12
