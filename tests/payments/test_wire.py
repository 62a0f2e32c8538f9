"""What the same, another, a late or a doubled message does (payments.md 1 and 6)."""

from dataclasses import replace

import pytest

from apps.accounts.models import BankAccount
from apps.common import clock, ids
from apps.ledger.models import Transfer
from apps.messaging.models import OutboxEvent
from apps.payments.models import Leg, Transaction
from apps.payments.states import Role
from apps.upi.models import Exchange, ExchangeRepeat
from apps.upi.timer_models import Timer
from tests.payments.hand import Deal, Side, drain, history, leg, state
from tests.payments.payer import enrol_payee
from tests.upi import wire

ABROAD = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")


@pytest.fixture
def deal(hand):
    return Deal(payer=hand.account(), payee=ABROAD)


@pytest.fixture
def inward(hand):
    return Deal(payer=ABROAD, payee=enrol_payee(hand))


def refusals():
    return OutboxEvent.objects.filter(type="upi.security.refused").count()


def test_a_credit_is_declined_when_it_is_too_late(hand, inward):
    sent = hand.credit(inward)
    Leg.objects.update(post_before_at=clock.now())

    drain(Role.CREDIT)

    assert sent.code == "UB"
    assert history(inward, Role.CREDIT) == ["RECEIVED", "DECLINED"]


@pytest.mark.parametrize(("account_state", "code"), [("FROZEN", "YF"), ("DORMANT", "ZY")])
def test_a_credit_is_declined_by_the_account(hand, inward, account_state, code):
    BankAccount.objects.filter(number=inward.payee.number).update(state=account_state)

    sent = hand.credit(inward)
    drain(Role.CREDIT)

    assert sent.code == code
    assert not Transfer.objects.filter(purpose="UPI_CREDIT").exists()


def test_a_credit_with_another_transactions_rrn_is_a_duplicate(hand, inward):
    hand.credit(inward)
    twin = Deal(payer=ABROAD, payee=inward.payee, rrn=inward.rrn)

    sent = hand.credit(twin)
    drain(Role.CREDIT)

    assert sent.code == "DF"
    assert state(inward, Role.CREDIT) == "POSTED"


def test_the_same_message_again_gets_the_stored_ack(hand, deal):
    sent = hand.debit(deal)

    again = hand.door.post(_bytes(hand, sent))

    assert again.err == ""
    assert Leg.objects.count() == 1
    assert Exchange.objects.filter(api="ReqPay").count() == 1


def _bytes(hand, sent):
    root = sent.root
    for child in root.findall(f"{{{wire.DSIG}}}Signature"):
        root.remove(child)
    return wire.sign(root, hand.door.key)


def test_the_same_content_under_a_new_msg_id_gets_the_stored_outcome(hand, deal):
    first = hand.debit(deal)
    drain(Role.DEBIT)

    second = first.again()
    drain()

    assert second.err == ""
    assert (first.code, second.code) == ("00", "00")
    assert Transfer.objects.filter(purpose="UPI_DEBIT").count() == 1
    assert ExchangeRepeat.objects.count() == 1


def test_a_repeat_before_the_outcome_is_answered_with_it(hand, deal):
    first = hand.debit(deal)
    second = first.again()
    assert second.err == ""

    drain()

    assert (first.code, second.code) == ("00", "00")
    assert Transfer.objects.filter(purpose="UPI_DEBIT").count() == 1


def test_other_content_under_a_known_key_is_refused(hand, deal):
    hand.debit(deal)
    before = refusals()

    other = hand.debit(replace(deal, paise=1))

    assert other.err == "U01"
    assert refusals() == before + 1
    assert Transaction.objects.get().amount_paise == deal.paise


def test_another_request_for_a_job_that_exists_is_refused(hand, deal):
    """The leg key does not know the sub type: a second DEBIT of a transaction is no new job."""
    hand.debit(deal)

    other = hand.debit(deal, sub_type="COLLECT")

    assert other.err == "U01"
    assert Leg.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"paise": 1}, "U12"),
        ({"rrn": "632799999999"}, "U07"),
        ({"payer": Side(address="eve@smplbank", number="1", ifsc="SMPL0000002")}, "U60"),
    ],
)
def test_jobs_of_one_transaction_must_agree(hand, inward, change, code):
    hand.authorise(inward)
    before = refusals()

    credit = hand.credit(replace(inward, **change))

    assert credit.err == code
    assert refusals() == before + 1
    assert not Leg.objects.filter(role=Role.CREDIT).exists()


def test_a_differing_note_is_only_logged(hand, inward):
    hand.authorise(inward)

    credit = hand.credit(replace(inward, note="another note"))

    assert credit.err == ""
    assert Transaction.objects.get().note == inward.note


def test_an_answer_after_its_time_is_kept_and_not_sent(hand, deal, settings):
    settings.UPI_TIMERS_FIXED = settings.UPI_TIMERS_FIXED | {Timer.ANSWER: 0}

    sent = hand.debit(deal)
    drain()

    assert state(deal, Role.DEBIT) == "POSTED"
    assert hand.answers(sent) == []
    assert Exchange.objects.get(msg_id=sent.message_id).state == "EXPIRED"


def test_a_negative_ack_ends_the_delivery_and_moves_no_money(hand, deal):
    sent = hand.debit(deal)
    hand.switch.plan = ["nack:U70"]

    drain()

    exchange = Exchange.objects.get(msg_id=sent.message_id)
    assert (exchange.state, exchange.delivery_code) == ("NACKED", "U70")
    assert exchange.next_action_at is None
    assert state(deal, Role.DEBIT) == "POSTED"


def test_the_switch_is_told_where_a_leg_stands(hand, deal):
    hand.debit(deal)
    undecided = hand.check(deal)
    drain()
    decided = hand.check(deal)
    drain()

    (first,), (second,) = hand.answers(undecided), hand.answers(decided)
    assert (first.find("Resp").get("result"), first.find("Resp/Ref")) == ("PARTIAL", None)
    assert second.find("Resp").get("result") == "SUCCESS"
    assert second.find("Resp/Ref").get("respCode") == "00"
    assert second.find("Resp/Ref").get("settAmount") == "149.50"


def test_a_check_of_a_declined_leg_names_its_code(hand, deal):
    hand.debit(deal, pin="000000")
    drain()

    asked = hand.check(deal)
    drain()

    ref = hand.answers(asked)[0].find("Resp/Ref")
    assert (ref.get("respCode"), ref.get("settAmount")) == ("ZM", "0.00")


def test_a_check_shows_what_a_reversal_made_of_it(hand, deal):
    hand.debit(deal)
    drain()
    hand.reversal(deal, "DEBIT")
    drain()

    asked = hand.check(deal)
    drain()

    ref = hand.answers(asked)[0].find("Resp/Ref")
    assert (ref.get("respCode"), ref.get("reversalRespCode")) == ("00", "00")


def test_a_check_of_what_never_came_finds_nothing_and_posts_nothing(hand, deal):
    asked = hand.check(deal)
    drain()

    assert asked.code == "NO"
    assert not Leg.objects.exists()


def test_a_check_never_moves_a_leg(hand, deal):
    hand.debit(deal)

    hand.check(deal)
    drain(Role.PAYER_PSP)

    assert state(deal, Role.DEBIT) == "RECEIVED"
    assert not Transfer.objects.filter(purpose="UPI_DEBIT").exists()


def test_a_refused_message_writes_no_leg(hand, deal):
    sent = hand.debit(deal, id=ids.new_upi_id("SMP"), cust_ref="12")

    assert sent.err == "T12"
    assert not Transaction.objects.exists()
    assert not Leg.objects.exists()


def test_the_transfer_is_named_by_the_leg(hand, deal):
    hand.debit(deal)
    drain()

    transfer = Transfer.objects.get(purpose="UPI_DEBIT")
    assert transfer.key == f"DEBIT/DEBIT/{deal.id}"
    assert transfer.pk == leg(deal, Role.DEBIT).transfer_id
