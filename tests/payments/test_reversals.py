"""What a reversal does to its original, in every state of it (payments.md 7)."""

import pytest

from apps.accounts.models import PinState
from apps.accounts.services import pin
from apps.common import ids
from apps.common.clock import business_date, now
from apps.common.money import Money
from apps.ledger.models import Transfer
from apps.ledger.selectors import books_sum
from apps.payments import selectors
from apps.payments.models import Leg, LegKey
from apps.payments.open_items import ItemKind, open_items
from apps.payments.services import settle, verify
from apps.payments.states import Role
from apps.risk.selectors import used_on
from apps.upi.models import Exchange, PinBlock
from apps.upi.timer_models import Timer
from tests.bank_host import posted
from tests.payments.hand import Deal, Side, drain, history, leg, state

ABROAD = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")


@pytest.fixture
def deal(hand):
    return Deal(payer=hand.account(), payee=ABROAD)


@pytest.fixture
def inward(hand):
    return Deal(payer=ABROAD, payee=hand.plain_account("001234567899"))


def transfers(deal):
    return list(Transfer.objects.filter(key__contains=deal.id).order_by("id"))


def test_a_posted_debit_is_paid_back_by_a_new_transfer(hand, deal):
    hand.debit(deal)
    drain(Role.DEBIT)

    reversal = hand.reversal(deal, "DEBIT")
    drain(Role.REVERSAL)

    assert reversal.code == "00"
    assert state(deal, Role.DEBIT) == "POSTED"
    assert history(deal, Role.REVERSAL) == ["WAITING_ORIGINAL", *posted()]
    first, second = transfers(deal)
    assert (second.debit_account_id, second.credit_account_id) == (
        first.credit_account_id,
        first.debit_account_id,
    )
    assert second.kind == "SINGLE"
    assert books_sum() == Money(0)


def test_the_answer_to_a_reversal_carries_its_code_twice(hand, deal):
    hand.debit(deal)
    drain(Role.DEBIT)
    reversal = hand.reversal(deal, "DEBIT")
    drain(Role.REVERSAL)

    (answer,) = hand.answers(reversal)

    assert answer.find("Txn").get("id") == reversal.message.txn.id
    assert answer.find("Txn").get("orgTxnId") == deal.id
    assert answer.find("Txn").get("subType") == "DEBIT"
    assert answer.find("Resp/Ref").get("respCode") == "00"
    assert answer.find("Resp/Ref").get("reversalRespCode") == "00"


def test_money_that_came_back_is_not_counted_as_spent(hand, deal):
    hand.debit(deal)
    drain(Role.DEBIT)
    account_id = PinState.objects.get().pk
    assert used_on(account_id, business_date(now())) == (Money(14950), 1)

    hand.reversal(deal, "DEBIT")
    drain(Role.REVERSAL)

    assert used_on(account_id, business_date(now())) == (Money(0), 0)


def test_before_posting_the_original_is_refused_and_nothing_moves(hand, deal):
    debit = hand.debit(deal)

    reversal = hand.reversal(deal, "DEBIT")
    drain(Role.REVERSAL)

    assert reversal.code == "ND"
    assert debit.code == "XB"
    assert history(deal, Role.DEBIT) == ["RECEIVED", "REFUSED_BY_REVERSAL"]
    assert history(deal, Role.REVERSAL) == ["WAITING_ORIGINAL", "NOT_DONE"]
    assert transfers(deal) == []
    assert not PinBlock.objects.exists()
    drain()
    assert transfers(deal) == []


def test_a_verified_debit_is_refused_too(hand, deal):
    debit = hand.debit(deal)
    verify.verify_due()
    assert state(deal, Role.DEBIT) == "VERIFIED"

    reversal = hand.reversal(deal, "DEBIT")
    drain(Role.REVERSAL)
    drain()

    assert (debit.code, reversal.code) == ("XB", "ND")
    assert transfers(deal) == []


def test_a_debit_refused_while_its_pin_is_verified_leaves_the_try_with_the_pin_row(hand, deal):
    hand.debit(deal, pin="000000")
    taken = verify._take_due(ids.uuid7(), None)
    assert PinState.objects.get().tries_left == 2

    reversal = hand.reversal(deal, "DEBIT")
    drain(Role.REVERSAL)
    assert reversal.code == "ND"
    assert history(deal, Role.DEBIT) == ["RECEIVED", "VERIFYING", "REFUSED_BY_REVERSAL"]
    assert PinBlock.objects.count() == 1

    verify._record(taken, pin.verify(taken.tries))

    row = PinState.objects.get()
    assert (row.tries_left, row.holder) == (2, None)
    assert not PinBlock.objects.exists()
    assert state(deal, Role.DEBIT) == "REFUSED_BY_REVERSAL"


def test_the_left_pin_row_is_verified_for_the_try_alone_when_its_worker_died(hand, deal):
    hand.debit(deal)
    verify._take_due(ids.uuid7(), None)
    hand.reversal(deal, "DEBIT")
    drain(Role.REVERSAL)
    PinState.objects.update(next_action_at=now())

    pin.finish_left()

    row = PinState.objects.get()
    assert (row.tries_left, row.holder) == (3, None)
    assert state(deal, Role.DEBIT) == "REFUSED_BY_REVERSAL"


def test_the_reversal_of_a_debit_that_never_came_leaves_a_tombstone(hand, deal):
    reversal = hand.reversal(deal, "DEBIT")
    drain(Role.REVERSAL)

    assert reversal.code == "OD"
    assert history(deal, Role.DEBIT) == ["REFUSED_BY_REVERSAL"]

    late = hand.debit(deal)
    drain()

    assert late.err == ""
    assert late.code == "XB"
    assert history(deal, Role.DEBIT) == ["REFUSED_BY_REVERSAL"]
    assert transfers(deal) == []
    assert not PinBlock.objects.exists()


def test_a_late_original_that_differs_from_its_reversal_is_refused_at_the_door(hand, deal):
    hand.reversal(deal, "DEBIT")
    drain(Role.REVERSAL)

    late = hand.debit(Deal(payer=deal.payer, payee=deal.payee, paise=1, id=deal.id, rrn=deal.rrn))

    assert late.err == "U12"
    assert leg(deal, Role.DEBIT).exchange_id is None


def test_a_declined_debit_was_not_done(hand, deal):
    poor = Deal(payer=deal.payer, payee=ABROAD, paise=9_999_900)
    debit = hand.debit(poor)
    drain(Role.DEBIT)
    assert debit.code != "00"

    reversal = hand.reversal(poor, "DEBIT")
    drain(Role.REVERSAL)

    assert reversal.code == "ND"
    assert transfers(poor) == []


def test_a_posted_credit_is_kept(hand, inward):
    hand.credit(inward)
    drain(Role.CREDIT)

    reversal = hand.reversal(inward, "CREDIT")
    drain(Role.REVERSAL)

    assert reversal.code == "CS"
    assert history(inward, Role.REVERSAL) == ["WAITING_ORIGINAL", "KEPT"]
    assert len(transfers(inward)) == 1


def test_a_credit_not_yet_posted_is_refused_for_ever(hand, inward):
    credit = hand.credit(inward)

    reversal = hand.reversal(inward, "CREDIT")
    drain(Role.REVERSAL)
    drain()

    assert (credit.code, reversal.code) == ("XC", "NC")
    assert transfers(inward) == []


def test_the_reversal_of_a_credit_that_never_came_leaves_a_tombstone(hand, inward):
    reversal = hand.reversal(inward, "CREDIT")
    drain(Role.REVERSAL)
    late = hand.credit(inward)
    drain()

    assert (reversal.code, late.code) == ("OC", "XC")
    assert transfers(inward) == []


def test_a_declined_credit_was_not_done(hand):
    gone = Deal(payer=ABROAD, payee=Side(address="x@exbank", number="009999999999"))
    credit = hand.credit(gone)
    drain(Role.CREDIT)

    reversal = hand.reversal(gone, "CREDIT")
    drain(Role.REVERSAL)

    assert (credit.code, reversal.code) == ("XI", "NC")


def test_on_us_the_reversal_of_the_debit_also_refuses_the_credit(hand, deal):
    on_us = Deal(payer=deal.payer, payee=hand.plain_account("001234567899"))
    hand.debit(on_us)
    drain(Role.DEBIT)
    credit = hand.credit(on_us)

    reversal = hand.reversal(on_us, "DEBIT")
    drain(Role.REVERSAL)
    drain()

    assert (reversal.code, credit.code) == ("00", "XC")
    assert state(on_us, Role.CREDIT) == "REFUSED_BY_REVERSAL"
    assert [transfer.purpose for transfer in transfers(on_us)] == ["UPI_DEBIT", "UPI_REVERSAL"]


def test_on_us_it_also_refuses_a_credit_that_comes_later(hand, deal):
    on_us = Deal(payer=deal.payer, payee=hand.plain_account("001234567899"))
    hand.debit(on_us)
    drain(Role.DEBIT)
    hand.reversal(on_us, "DEBIT")
    drain(Role.REVERSAL)

    credit = hand.credit(on_us)
    drain()

    assert credit.code == "XC"
    assert [transfer.purpose for transfer in transfers(on_us)] == ["UPI_DEBIT", "UPI_REVERSAL"]


def test_off_us_it_leaves_no_credit_of_another_bank(hand, deal):
    hand.debit(deal)
    drain(Role.DEBIT)
    hand.reversal(deal, "DEBIT")
    drain(Role.REVERSAL)

    assert not Leg.objects.filter(transaction_id=deal.id, role=Role.CREDIT).exists()


def test_on_us_a_credit_already_posted_stands_and_is_listed(hand, deal):
    on_us = Deal(payer=deal.payer, payee=hand.plain_account("001234567899"))
    hand.debit(on_us)
    drain(Role.DEBIT)
    hand.credit(on_us)
    drain(Role.CREDIT)

    reversal = hand.reversal(on_us, "DEBIT")
    drain(Role.REVERSAL)

    assert reversal.code == "00"
    (item,) = open_items(ItemKind.CREDIT_OF_FAILED)
    assert (item.transaction_id, item.exposure) == (on_us.id, on_us.amount)


def test_a_second_message_of_the_same_reversal_gets_the_same_answer(hand, deal):
    hand.debit(deal)
    drain(Role.DEBIT)
    first = hand.reversal(deal, "DEBIT")
    drain(Role.REVERSAL)

    second = hand.reversal(deal, "DEBIT")
    drain()

    assert second.message.txn.id != first.message.txn.id
    assert (first.code, second.code) == ("00", "00")
    assert len(transfers(deal)) == 2


def test_two_messages_of_a_reversal_that_waits_are_both_answered(hand, deal):
    hand.debit(deal)
    drain(Role.DEBIT)
    first = hand.reversal(deal, "DEBIT")
    second = hand.reversal(deal, "DEBIT")

    drain()

    assert (first.code, second.code) == ("00", "00")
    assert LegKey.objects.filter(transaction_id=deal.id, role=Role.REVERSAL).count() == 1
    assert len(transfers(deal)) == 2


def test_after_the_switchs_limit_the_money_still_goes_back_and_the_answer_is_withheld(
    hand, deal, settings
):
    hand.debit(deal)
    drain(Role.DEBIT)
    settings.UPI_TIMERS_FIXED = settings.UPI_TIMERS_FIXED | {Timer.REVERSAL_ANSWER: 0}

    reversal = hand.reversal(deal, "DEBIT")
    drain()

    assert state(deal, Role.REVERSAL) == "POSTED"
    assert len(transfers(deal)) == 2
    assert hand.answers(reversal) == []
    assert Exchange.objects.get(msg_id=reversal.message_id).state == "EXPIRED"


def test_a_reversal_that_a_file_opened_is_found_by_the_late_message(hand, deal):
    hand.debit(deal)
    drain(Role.DEBIT)
    row = settle.FileRow(
        facts=leg_facts(deal),
        response_code="RR",
        is_remitter=True,
        is_beneficiary=False,
        remitter_account=deal.payer.number,
    )
    settle.apply_rows([row], settlement_date=business_date(now()))
    drain(Role.REVERSAL)
    assert state(deal, Role.REVERSAL) == "POSTED"

    late = hand.reversal(deal, "DEBIT")
    drain()

    assert late.code == "00"
    assert len(transfers(deal)) == 2


def test_the_file_reverses_once_however_often_it_is_applied(hand, deal):
    hand.debit(deal)
    drain(Role.DEBIT)
    row = settle.FileRow(
        facts=leg_facts(deal),
        response_code="RR",
        is_remitter=True,
        is_beneficiary=False,
        remitter_account=deal.payer.number,
    )

    for _ in range(2):
        settle.apply_rows([row], settlement_date=business_date(now()))
        drain()

    assert len(transfers(deal)) == 2


def leg_facts(deal):
    return selectors.jobs_of([deal.id], [Role.DEBIT])[0].transaction
