"""Late, double and reordered words about collects and refunds are taken as those about payments."""

from dataclasses import dataclass

import pytest

from apps.common import clock
from apps.common.money import Money
from apps.ledger.selectors import books_sum
from apps.messaging.models import OutboxEvent
from apps.payments.models import Contradiction
from apps.payments.open_items import ItemKind, open_items
from apps.payments.services import send
from apps.payments.states import Role
from apps.upi import timers
from apps.upi.timer_models import Timer
from tests.api.people import open_shop
from tests.bank_host import held
from tests.payments.asking import STORE, Asking, due, expire
from tests.payments.hand import Deal, Side, drain, history, leg, state
from tests.payments.payer import BLOCK, enrol_payer, shop_side
from tests.payments.sale import Sale

ABROAD = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")


@dataclass
class Begun:
    """Something that a merchant of ours began, not yet sent."""

    kind: str
    role: Role
    deal: Deal
    done: str

    @property
    def ended(self):
        return history(self.deal, self.role)[2:]


@pytest.fixture(params=["COLLECT", "REFUND"])
def begun(hand, request):
    if request.param == "COLLECT":
        asking = Asking(hand)
        deal = asking.deal(asking.post().json()["upi"]["txn_id"])
        return Begun("COLLECT", Role.PAYEE_PSP, deal, "CONFIRMED")
    shop = open_shop()
    sale = Sale(hand, shop, shop_side(hand, shop))
    deal = sale.deal_of(sale.ask().json()["upi"]["txn_id"])
    return Begun("REFUND", Role.PAYER_PSP, deal, "SUCCESS")


@pytest.fixture
def sent(hand, begun):
    drain(begun.role)
    return begun


@pytest.fixture
def unknown(hand, begun):
    hand.switch.plan = ["silent"]
    drain(begun.role)
    if begun.kind == "COLLECT":
        expire()
    due()
    drain(begun.role)
    assert begun.ended == ["UNKNOWN"]
    return begun


def test_the_answer_may_come_before_our_ack_was_read(hand, begun, monkeypatch):
    post = send.send_requests

    def answered_at_once(requests):
        outcomes = post(requests)
        assert hand.answer_payment(begun.deal, kind=begun.kind).err == ""
        return outcomes

    monkeypatch.setattr(send, "send_requests", answered_at_once)
    drain(begun.role)

    assert begun.ended == [begun.done]
    assert leg(begun.deal, begun.role).claim is None


def test_an_answer_again_changes_nothing(hand, sent):
    first = hand.answer_payment(sent.deal, kind=sent.kind)
    again = hand.answer_payment(sent.deal, kind=sent.kind)

    assert (first.err, again.err) == ("", "")
    assert sent.ended == [sent.done]
    assert not Contradiction.objects.exists()
    ends = ["merchants.order.paid", "payments.refund.completed"]
    facts = OutboxEvent.objects.filter(type__in=ends, data__transaction_id=sent.deal.id)
    assert facts.count() == 1


@pytest.mark.parametrize(("code", "end"), [("U17", ["FAILED"]), ("U01", ["UNKNOWN"])])
def test_a_negative_ack_fails_it_unless_it_says_that_it_is_known(hand, begun, code, end):
    hand.switch.plan = [f"nack:{code}"]

    drain(begun.role)

    assert begun.ended == end


def test_a_late_answer_ends_what_was_unknown(hand, unknown):
    assert hand.answer_payment(unknown.deal, kind=unknown.kind).err == ""

    assert unknown.ended == ["UNKNOWN", unknown.done]


def test_the_first_end_stands_and_another_is_listed(hand, unknown):
    hand.answer_check(unknown.deal, "FAILURE", "U30~Z9")

    assert hand.answer_payment(unknown.deal, kind=unknown.kind).err == ""

    assert unknown.ended == ["UNKNOWN", "FAILED"]
    assert Contradiction.objects.get().told == unknown.done
    (item,) = open_items(ItemKind.CONTRADICTED)
    assert item.transaction_id == unknown.deal.id


def test_a_check_answered_about_something_else_proves_nothing(hand, unknown):
    elsewhere = hand.answer_check(unknown.deal, org_txn_id="SMP" + "0" * 32)
    another = hand.answer_check(unknown.deal, sub_type="PAY")

    assert (elsewhere.err, another.err) == ("U06", "U07")
    assert unknown.ended == ["UNKNOWN"]


def test_a_check_names_what_it_is_about(hand, unknown):
    (asked,) = hand.posted("ReqChkTxn")

    txn = asked.find("Txn")
    assert (txn.get("type"), txn.get("subType")) == ("ChkTxn", unknown.kind)
    assert (txn.get("orgTxnId"), txn.get("orgRrn")) == (unknown.deal.id, unknown.deal.rrn)
    assert txn.get("initiatedBy") == unknown.role.removesuffix("_PSP")


@pytest.fixture
def asking(hand):
    return Asking(hand)


def test_a_deemed_collect_has_no_end_and_is_asked_about_before_it_expires(hand, asking):
    shown, deal = asking.ask(expires_in_minutes=20)

    assert hand.answer_payment(deal, "DEEMED", "RB", kind="COLLECT").err == ""

    payment = f"/v1/payments/{asking.see(shown)['payment']}"
    assert asking.see(shown)["status"] == "pending"
    assert asking.shop.client.get(payment).json()["deemed"]["code"] == "deemed"
    waiting = leg(deal, Role.PAYEE_PSP)
    patience = timers.seconds(Timer.CHECK_FIRST_AFTER)
    assert (waiting.next_action_at - clock.now()).total_seconds() <= patience
    assert asking.order_status() == "created"
    assert [item.code for item in open_items(ItemKind.UNKNOWN)] == ["RB"]

    due()
    drain(Role.PAYEE_PSP)
    hand.answer_check(deal)

    assert history(deal, Role.PAYEE_PSP) == ["CREATED", "SENDING", "UNKNOWN", "CONFIRMED"]
    assert asking.order_status() == "paid"
    assert asking.shop.client.get(payment).json()["deemed"] is None
    assert open_items() == []


def test_a_collect_that_a_check_calls_deemed_stays_unknown(hand, asking):
    _, deal = asking.ask()
    expire()
    drain(Role.PAYEE_PSP)

    assert hand.answer_check(deal, "DEEMED", "RB").err == ""
    assert hand.answer_payment(deal, "DEEMED", "RB", kind="COLLECT").err == ""

    assert state(deal, Role.PAYEE_PSP) == "UNKNOWN"
    assert leg(deal, Role.PAYEE_PSP).code == "RB"


def test_a_collect_that_has_ended_is_not_deemed_afterwards(hand, asking):
    _, deal = asking.ask()
    expire()
    drain(Role.PAYEE_PSP)
    hand.answer_check(deal)

    assert hand.answer_payment(deal, "DEEMED", "RB", kind="COLLECT").err == ""

    ended = leg(deal, Role.PAYEE_PSP)
    assert (ended.state, ended.code) == ("CONFIRMED", "")


@pytest.fixture
def asked(hand):
    """A shop of another bank asks a customer of ours."""
    asha = enrol_payer(hand)
    deal = Deal(payer=asha.side, payee=STORE)
    assert hand.collect(deal).err == ""
    drain(Role.PAYER_PSP)
    return asha, deal


def approve(asha, deal):
    body = {"account": asha.account_id, "pin_block": BLOCK}
    path = f"/app/v1/collects/{deal.id}/approvals"
    headers = {"Idempotency-Key": "approval-1"}
    assert asha.client.post(path, body, format="json", headers=headers).status_code == 202
    drain()


def test_a_deemed_collect_is_neither_done_nor_failed_to_its_payer(hand, asked):
    asha, deal = asked
    approve(asha, deal)
    hand.debit(deal, sub_type="COLLECT")
    drain()

    assert hand.confirm(deal, "DEEMED", "RB", kind="COLLECT").err == ""

    assert state(deal, Role.PAYER_PSP) == "DEEMED"
    shown = asha.see(deal)
    assert (shown["status"], shown["finality"]) == ("pending", "provisional")
    assert shown["deemed"]["code"] == "deemed"


def test_a_pending_end_leaves_a_collect_to_the_check(hand, asked):
    asha, deal = asked
    approve(asha, deal)
    assert hand.confirm(deal, "PENDING", "RB", kind="COLLECT").err == ""
    assert state(deal, Role.PAYER_PSP) == "AUTHORISED"

    due()
    drain(Role.PAYER_PSP)
    hand.answer_check(deal, "DEEMED", "RB")

    assert history(deal, Role.PAYER_PSP)[-2:] == ["UNKNOWN", "DEEMED"]


def test_a_collect_that_expired_here_and_is_called_paid_is_listed(hand, asked):
    _, deal = asked
    expire()
    drain(Role.PAYER_PSP)

    assert hand.confirm(deal, kind="COLLECT").err == ""

    assert state(deal, Role.PAYER_PSP) == "FAILED"
    (told,) = Contradiction.objects.all()
    assert (told.told, told.source) == ("SUCCESS", "ReqTxnConfirmation")


def test_a_collect_s_debit_that_comes_after_its_reversal_finds_a_tombstone(hand, asked):
    asha, deal = asked
    approve(asha, deal)
    reversal = hand.reversal(deal, "DEBIT")
    drain()

    late = hand.debit(deal, sub_type="COLLECT")
    drain()

    assert (reversal.code, late.err, late.code) == ("OD", "", "XB")
    assert history(deal, Role.DEBIT) == ["REFUSED_BY_REVERSAL"]
    assert books_sum() == Money(0)


def test_a_refund_s_debit_that_comes_after_its_reversal_finds_a_tombstone(hand):
    shop = open_shop()
    sale = Sale(hand, shop, shop_side(hand, shop))
    _, deal = sale.refund()
    reversal = hand.reversal(deal, "DEBIT")
    drain()

    late = hand.refund_debit(deal)
    drain()

    assert (reversal.code, late.err, late.code) == ("OD", "", "XB")
    assert held(sale.side.number) == sale.deal.amount


@pytest.mark.parametrize("kind", ["COLLECT", "REFUND"])
def test_a_credit_that_comes_after_its_reversal_finds_a_tombstone(hand, kind):
    deal = Deal(payer=ABROAD, payee=hand.plain_account("001234567899"))
    reversal = hand.reversal(deal, "CREDIT")
    drain()

    late = hand.credit(deal, sub_type=kind)
    drain()

    assert (reversal.code, late.err, late.code) == ("OC", "", "XC")
    assert held(deal.payee.number) == Money(0)


@pytest.mark.parametrize("kind", ["PAY", "COLLECT", "REFUND"])
def test_the_switch_may_ask_about_a_leg_by_what_it_is_for(hand, kind):
    deal = Deal(payer=ABROAD, payee=hand.plain_account("001234567899"))
    hand.credit(deal, sub_type=kind)
    others = [each for each in ("PAY", "COLLECT", "REFUND", "DEBIT", "REVERSAL") if each != kind]
    undecided = hand.check(deal, kind)
    drain()

    found = [hand.check(deal, sub_type) for sub_type in (kind, "CREDIT")]
    missed = [hand.check(deal, sub_type) for sub_type in others]
    drain()

    assert hand.answers(undecided)[0].find("Resp").get("result") == "PARTIAL"
    for asked in found:
        ref = hand.answers(asked)[0].find("Resp/Ref")
        assert (ref.get("type"), ref.get("respCode")) == ("PAYEE", "00")
    assert [asked.code for asked in missed] == ["NO"] * len(others)


def test_the_switch_may_ask_what_was_reversed(hand):
    deal = Deal(payer=hand.account(), payee=ABROAD)
    hand.debit(deal, sub_type="COLLECT")
    drain()
    hand.reversal(deal, "DEBIT")
    drain()
    late = Deal(payer=deal.payer, payee=ABROAD)
    hand.reversal(late, "DEBIT")
    drain()

    asked, tombstone = hand.check(deal, "REVERSAL"), hand.check(late, "COLLECT")
    drain()

    ref = hand.answers(asked)[0].find("Resp/Ref")
    assert (ref.get("respCode"), ref.get("reversalRespCode")) == ("00", "00")
    ref = hand.answers(tombstone)[0].find("Resp/Ref")
    assert (ref.get("respCode"), ref.get("reversalRespCode")) == ("XB", "OD")
