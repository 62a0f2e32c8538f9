"""Customers of ours are asked for money, and say yes, no, or nothing."""

import datetime as dt
from dataclasses import replace

import pytest
from lxml import etree

from apps.common import ids
from apps.common.money import Money
from apps.ledger.selectors import books_sum
from apps.messaging.models import OutboxEvent
from apps.payments.models import BlockedRequester, FlowRule
from apps.payments.states import Role
from apps.payments.tasks import drain_payer_psp
from apps.upi.models import ExchangeRepeat
from tests.api.race import at_once
from tests.payments.asking import PAISE, RAVI, STORE, Asking, due, expire
from tests.payments.hand import Deal, Side, drain, history, leg, state
from tests.payments.payer import BLOCK, enrol_payer


@pytest.fixture
def asha(hand):
    return enrol_payer(hand)


@pytest.fixture
def asked(hand, asha):
    """A shop of another bank asks a customer of ours."""
    deal = Deal(payer=asha.side, payee=STORE)
    deal_sent = hand.collect(deal)
    assert deal_sent.err == ""
    drain(Role.PAYER_PSP)
    hand.asked = deal_sent
    return deal


def test_a_collect_that_comes_with_new_payments_is_presented_with_them(hand, asha):
    deal = Deal(payer=asha.side, payee=STORE)
    hand.collect(deal)
    paid = asha.pay(STORE)

    drain_payer_psp()

    assert state(deal, Role.PAYER_PSP) == "WAITING_PAYER"
    assert state(paid, Role.PAYER_PSP) == "SENDING"


def see(payer, deal):
    return payer.client.get(f"/app/v1/collects/{deal.id}").json()


def approve(payer, deal, key="approval-1", **body):
    body = {"account": payer.account_id, "pin_block": BLOCK} | body
    path = f"/app/v1/collects/{deal.id}/approvals"
    return payer.client.post(path, body, format="json", headers={"Idempotency-Key": key})


def decline(payer, deal, **body):
    return payer.client.post(f"/app/v1/collects/{deal.id}/declines", body, format="json")


def test_a_customer_sees_what_they_are_asked_for(hand, asha, asked):
    (shown,) = asha.client.get("/app/v1/collects").json()["data"]

    assert shown == see(asha, asked)
    assert (shown["amount"], shown["payee_vpa"]) == (PAISE, STORE.address)
    assert (shown["status"], shown["awaits_approval"]) == ("pending", True)
    assert history(asked, Role.PAYER_PSP) == ["RECEIVED", "WAITING_PAYER"]
    assert hand.answers(hand.asked) == []
    assert OutboxEvent.objects.filter(type="payments.collect.requested").count() == 1
    assert asha.client.get("/app/v1/payments").json()["data"] == []


def test_an_approval_is_answered_with_account_device_and_pin(hand, asha, asked):
    answer = approve(asha, asked)
    drain()

    assert (answer.status_code, answer.json()["awaits_approval"]) == (202, False)
    assert hand.code(hand.asked) == "00"
    (told,) = hand.answers(hand.asked)
    payer, payee = told.find("Payer"), told.find("Payees/Payee")
    assert told.find("Txn").get("type") == "COLLECT"
    assert payer.find("Creds/Cred/Data").text == BLOCK["data"]
    assert payer.find("Device") is not None
    details = {detail.get("name"): detail.get("value") for detail in payer.findall("Ac/Detail")}
    assert details["ACNUM"] == asha.side.number
    assert payee.find("Merchant/Identifier").get("mid") == "MID0001"
    assert state(asked, Role.PAYER_PSP) == "AUTHORISED"


def test_an_approved_collect_is_debited_and_ends_as_a_payment(hand, asha, asked):
    approve(asha, asked)
    debit = hand.debit(asked, sub_type="COLLECT")
    drain()

    assert (debit.code, hand.confirm(asked, kind="COLLECT").err) == ("00", "")

    assert see(asha, asked)["status"] == "succeeded"
    assert asha.see(asked)["status"] == "succeeded"
    (listed,) = asha.client.get("/app/v1/payments").json()["data"]
    assert (listed["txn_id"], listed["payee_vpa"]) == (asked.id, STORE.address)
    history_of = ["RECEIVED", "WAITING_PAYER", "AUTHORISED", "SUCCESS"]
    assert history(asked, Role.PAYER_PSP) == history_of
    assert books_sum() == Money(0)


def test_an_approval_again_is_the_same_approval(hand, asha, asked):
    answers = [approve(asha, asked), approve(asha, asked)]
    drain()

    assert [answer.status_code for answer in answers] == [202, 202]
    assert approve(asha, asked, "other-key").json()["code"] == "collect_over"
    assert decline(asha, asked).json()["code"] == "collect_over"
    assert len(hand.answers(hand.asked)) == 1


def test_of_yes_and_no_at_once_the_switch_hears_one(hand, asha, asked):
    said = at_once(
        [lambda n=n: approve(asha, asked, f"key-{n}") for n in range(4)]
        + [lambda: decline(asha, asked) for _ in range(4)]
    )
    drain()

    assert {answer.status_code for answer in said} <= {200, 202, 409}
    assert len(hand.answers(hand.asked)) == 1
    was_approved = hand.code(hand.asked) == "00"
    assert (state(asked, Role.PAYER_PSP) == "AUTHORISED") == was_approved
    assert sum(answer.status_code == 202 for answer in said) == was_approved


def test_a_no_is_told_and_may_be_said_again(hand, asha, asked):
    answers = [decline(asha, asked), decline(asha, asked)]
    drain()

    assert [answer.status_code for answer in answers] == [200, 200]
    assert hand.code(hand.asked) == "ZA"
    assert len(hand.answers(hand.asked)) == 1
    assert see(asha, asked)["failure"]["upi_code"] == "ZA"
    assert approve(asha, asked).json()["code"] == "collect_over"
    assert not BlockedRequester.objects.exists()


def test_the_question_again_is_answered_as_long_as_it_may_be(hand, asha, asked):
    again = hand.asked.again()
    assert ExchangeRepeat.objects.get().expires_at == leg(asked, Role.PAYER_PSP).expires_at
    assert hand.answers(again) == []

    decline(asha, asked)
    drain()
    after = hand.asked.again()
    drain()

    assert [sent.err for sent in (again, after)] == ["", ""]
    assert [hand.code(sent) for sent in (hand.asked, again, after)] == ["ZA", "ZA", "ZA"]
    waits = [row.expires_at - row.received_at for row in ExchangeRepeat.objects.all()]
    assert max(waits) < dt.timedelta(minutes=2), "the decided question is waited for no longer"


def test_the_question_again_is_answered_by_the_same_approval(hand, asha, asked):
    again = hand.asked.again()
    approve(asha, asked)
    drain()

    first, second = hand.answers(hand.asked)[0], hand.answers(again)[0]
    assert hand.code(again) == "00"
    assert etree.tostring(first.find("Payer")) == etree.tostring(second.find("Payer"))


def test_a_question_after_its_time_is_acknowledged_and_not_answered(hand, asha, asked):
    expire()
    drain(Role.PAYER_PSP)

    again = hand.asked.again()
    drain()

    assert (again.err, hand.answers(again)) == ("", [])


def test_who_is_blocked_asks_in_vain_until_unblocked(hand, asha, asked):
    assert decline(asha, asked, block_requester=True).status_code == 200
    drain()
    assert hand.code(hand.asked) == "TM"

    again = Deal(payer=asha.side, payee=STORE)
    asked_again = hand.collect(again)
    drain()
    assert asked_again.code == "TM"
    assert asha.client.get(f"/app/v1/collects/{again.id}").status_code == 404

    path = f"/app/v1/collects/blocked/{STORE.address}"
    assert asha.client.delete(path).status_code == 204
    assert asha.client.delete(path).status_code == 404
    third = Deal(payer=asha.side, payee=STORE)
    hand.collect(third)
    drain()
    assert see(asha, third)["awaits_approval"] is True


def test_silence_lets_a_collect_expire_without_an_answer(hand, asha, asked):
    expire()
    assert approve(asha, asked).json()["code"] == "collect_over"

    drain()

    assert see(asha, asked)["failure"]["upi_code"] == "U69"
    assert history(asked, Role.PAYER_PSP)[-1] == "FAILED"
    assert hand.answers(hand.asked) == []
    assert hand.confirm(asked, "FAILURE", "U69", kind="COLLECT").err == ""


def test_the_switch_may_end_a_collect_before_its_payer_speaks(hand, asha, asked):
    assert hand.confirm(asked, kind="COLLECT").err == "U21"
    assert hand.confirm(asked, "FAILURE", "U69", kind="COLLECT").err == ""

    assert approve(asha, asked).json()["code"] == "collect_over"
    assert see(asha, asked)["status"] == "failed"


def test_persons_ask_nobody_since_october_2025(hand, asha):
    deal = Deal(payer=asha.side, payee=RAVI)
    sent = hand.collect(deal)
    drain()
    assert sent.code == "ZE"
    assert history(deal, Role.PAYER_PSP) == ["RECEIVED", "REFUSED"]

    FlowRule.objects.filter(flow="COLLECT_PERSON", is_allowed=False).delete()
    FlowRule.objects.filter(flow="COLLECT_PERSON").update(valid_to_date=None)
    before = Deal(payer=asha.side, payee=RAVI)
    hand.collect(before)
    drain()
    assert state(before, Role.PAYER_PSP) == "WAITING_PAYER"


def test_an_unknown_payer_is_not_asked(hand, asha):
    deal = Deal(payer=Side(address="nobody@exbank", number="1"), payee=STORE)

    sent = hand.collect(deal)
    drain()

    assert sent.code == "ZH"


def test_nobody_answers_for_another(hand, asha, asked):
    other = enrol_payer(hand, "001234567877", mobile="919800000007", address="kiran@exbank")

    assert other.client.get("/app/v1/collects").json()["data"] == []
    assert other.client.get(f"/app/v1/collects/{asked.id}").status_code == 404
    assert approve(other, asked).status_code == 404
    assert decline(other, asked).status_code == 404
    assert approve(asha, asked, account=other.account_id).status_code == 404
    assert state(asked, Role.PAYER_PSP) == "WAITING_PAYER"


def test_a_lost_end_is_asked_about_and_a_check_ends_it(hand, asha, asked):
    approve(asha, asked)
    drain()
    due()
    drain(Role.PAYER_PSP)

    (check,) = hand.posted("ReqChkTxn")
    assert check.find("Txn").get("initiatedBy") == "PAYER"
    hand.answer_check(asked, "FAILURE", "U69")
    assert history(asked, Role.PAYER_PSP)[-2:] == ["UNKNOWN", "FAILED"]


def test_a_message_says_when_its_collect_expires(hand, asha):
    for minutes, expected in ((7, 7), (None, 30), (100_000, 64_800)):
        deal = Deal(payer=asha.side, payee=STORE)
        hand.collect(deal, minutes=minutes)
        found = leg(deal, Role.PAYER_PSP)
        life = (found.expires_at - deal.at).total_seconds() / 60
        assert life == pytest.approx(expected, abs=0.1)


def test_a_merchant_of_ours_asks_a_customer_of_ours(hand, asha):
    asking = Asking(hand)
    shown, deal = asking.ask(payer_vpa=asha.address)
    deal = replace(deal, payer=asha.side)
    sent = hand.collect(deal)
    drain()
    approve(asha, deal)
    hand.debit(deal, sub_type="COLLECT")
    hand.credit(deal, sub_type="COLLECT")
    drain()
    hand.answer_payment(deal, kind="COLLECT")
    hand.confirm(deal, kind="COLLECT")
    drain()

    assert sent.code == "00"
    assert asking.see(shown)["status"] == see(asha, deal)["status"] == "succeeded"
    assert asking.order_status() == "paid"
    assert {role: state(deal, role) for role in (Role.PAYER_PSP, Role.PAYEE_PSP)} == {
        Role.PAYER_PSP: "SUCCESS",
        Role.PAYEE_PSP: "CONFIRMED",
    }
    assert books_sum() == Money(0)
    assert ids.parse_public_id("col", shown["id"]) is not None
