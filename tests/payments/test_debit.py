"""The remitter: what is checked, in which order, and by which clock (payments.md 4 and 5)."""

import datetime as dt
from dataclasses import replace

import pytest
from django.db import connection

from apps.accounts.models import BankAccount, PinState
from apps.accounts.services import pin
from apps.common import clock, ids
from apps.common.money import Money
from apps.ledger.models import Transfer
from apps.payments.models import Leg
from apps.payments.services import verify
from apps.payments.services.advance import advance
from apps.payments.states import Role
from apps.risk.models import LimitRule
from apps.risk.selectors import used_on
from apps.upi.models import Exchange, PinBlock
from hsm.pin import PinVerdict
from tests.accounts.issuer import credential
from tests.bank_host import posted
from tests.payments.hand import PIN, Deal, Side, drain, history, leg, state

ABROAD = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")


@pytest.fixture
def asha(hand):
    return hand.account(paise=100_000)


@pytest.fixture
def deal(asha):
    return Deal(payer=asha, payee=ABROAD)


def tries():
    return PinState.objects.get().tries_left


def limit(rule, value):
    LimitRule.objects.filter(rule=rule).update(value=value)


def test_a_wrong_pin_costs_a_try_and_the_right_one_gives_them_back(hand, asha):
    wrong = hand.debit(Deal(payer=asha, payee=ABROAD), pin="000000")
    drain(Role.DEBIT)
    assert (wrong.code, tries()) == ("ZM", 2)

    right = hand.debit(Deal(payer=asha, payee=ABROAD))
    drain(Role.DEBIT)
    assert (right.code, tries()) == ("00", 3)


def test_the_third_wrong_pin_locks_and_the_right_one_does_not_help(hand, asha):
    codes = []
    for digits in ("000000", "111111", "222222", PIN):
        sent = hand.debit(Deal(payer=asha, payee=ABROAD), pin=digits)
        drain(Role.DEBIT)
        codes.append(sent.code)

    assert codes == ["ZM", "ZM", "ZM", "Z6"]
    assert not Transfer.objects.filter(purpose="UPI_DEBIT").exists()


def test_of_many_wrong_pins_at_once_three_reach_the_token(hand, asha, monkeypatch):
    asked = []
    verify_many = pin.hsm_pin.verify_many
    monkeypatch.setattr(
        pin.hsm_pin, "verify_many", lambda asks: asked.extend(asks) or verify_many(asks)
    )
    sent = [hand.debit(Deal(payer=asha, payee=ABROAD), pin="000000") for _ in range(12)]

    drain(Role.DEBIT)

    assert len(asked) == 3
    assert sorted(each.code for each in sent) == ["Z6"] * 9 + ["ZM"] * 3


def test_an_account_is_verified_one_payment_at_a_time(hand, asha):
    first, second = (Deal(payer=asha, payee=ABROAD) for _ in range(2))
    hand.debit(first)
    hand.debit(second)

    taken = verify._take_due(ids.uuid7(), None)

    assert len(taken.tries) == 1
    assert sorted([state(first, Role.DEBIT), state(second, Role.DEBIT)]) == [
        "RECEIVED",
        "VERIFYING",
    ]
    verify._record(taken, pin.verify(taken.tries))
    drain(Role.DEBIT)
    assert {state(first, Role.DEBIT), state(second, Role.DEBIT)} == {"POSTED"}


def test_a_claim_taken_over_costs_no_second_try(hand, deal):
    hand.debit(deal)
    verify._take_due(ids.uuid7(), None)
    assert tries() == 2
    Leg.objects.update(next_action_at=clock.now())

    taken = verify._take_due(ids.uuid7(), None)

    assert tries() == 2
    assert history(deal, Role.DEBIT) == ["RECEIVED", "VERIFYING"]
    verify._record(taken, pin.verify(taken.tries))
    drain(Role.DEBIT)
    assert (tries(), state(deal, Role.DEBIT)) == (3, "POSTED")


def test_a_verdict_under_an_old_claim_changes_nothing(hand, deal):
    hand.debit(deal)
    old = verify._take_due(ids.uuid7(), None)
    results = pin.verify(old.tries)
    Leg.objects.update(next_action_at=clock.now())
    verify._take_due(ids.uuid7(), None)

    verify._record(old, results)

    assert state(deal, Role.DEBIT) == "VERIFYING"
    assert PinBlock.objects.count() == 1


@pytest.mark.parametrize(
    ("_case", "account", "pin_digits", "paise", "code"),
    [
        ("the account comes first",  {"state": "FROZEN"},  "000000", 9_999_900, "YE"),
        ("a dormant account",        {"state": "DORMANT"}, PIN,      14950,     "ZX"),
        ("a closed account",         {"state": "CLOSED"},  PIN,      14950,     "XH"),
        ("another mobile number",    {"mobile": "919811111111"}, PIN, 14950,    "B1"),
        ("the PIN before the limit", {},                   "000000", 99_999_900, "ZM"),
        ("the limit before funds",   {},                   PIN,      99_999_900, "Z8"),
        ("then the funds",           {},                   PIN,      100_001,   "Z9"),
        ("all that there is",        {},                   PIN,      100_000,   "00"),
    ],
)  # fmt: skip
def test_a_debit_is_judged_in_order(hand, asha, _case, account, pin_digits, paise, code):
    BankAccount.objects.filter(number=asha.number).update(**account)
    deal = Deal(payer=asha, payee=ABROAD, paise=paise)

    sent = hand.debit(deal, pin=pin_digits)
    drain(Role.DEBIT)

    assert sent.code == code
    assert state(deal, Role.DEBIT) == ("POSTED" if code == "00" else "DECLINED")
    assert not PinBlock.objects.exists()


def test_a_debit_from_no_known_phone_is_declined_and_costs_no_try(hand, asha):
    unnamed = replace(asha, mobile=None)

    sent = hand.debit(Deal(payer=unnamed, payee=ABROAD))
    drain(Role.DEBIT)

    assert sent.code == "B1"
    assert tries() == 3


def test_an_account_that_is_not_there_is_declined(hand, deal):
    nobody = Side(address="x@exbank", number="009999999999")

    sent = hand.debit(Deal(payer=nobody, payee=ABROAD))
    drain(Role.DEBIT)

    assert sent.code == "XH"


def test_an_account_without_a_pin_is_declined(hand):
    side = hand.plain_account("001234567899", paise=100_000)

    sent = hand.debit(Deal(payer=side, payee=ABROAD))
    drain(Role.DEBIT)

    assert sent.code == "AM"


def test_an_account_frozen_after_its_pin_is_not_debited(hand, asha, deal):
    sent = hand.debit(deal)
    verify.verify_due()
    BankAccount.objects.filter(number=asha.number).update(state="FROZEN")

    drain(Role.DEBIT)

    assert sent.code == "YE"
    assert history(deal, Role.DEBIT) == ["RECEIVED", "VERIFYING", "VERIFIED", "DECLINED"]


def test_the_days_limits_hold_and_a_decline_gives_back(hand, asha):
    limit("DAY_COUNT", 2)
    account_id = BankAccount.objects.get().pk
    poor = hand.debit(Deal(payer=asha, payee=ABROAD, paise=100_001))
    drain(Role.DEBIT)
    assert poor.code == "Z9"
    assert used_on(account_id, clock.business_date(clock.now())) == (Money(0), 0)

    codes = []
    for _ in range(3):
        sent = hand.debit(Deal(payer=asha, payee=ABROAD, paise=100))
        drain(Role.DEBIT)
        codes.append(sent.code)

    assert codes == ["00", "00", "Z7"]
    assert used_on(account_id, clock.business_date(clock.now())) == (Money(200), 2)


def test_a_batch_shares_one_limit_row(hand, asha):
    limit("DAY_AMOUNT", 30_000)
    sent = [hand.debit(Deal(payer=asha, payee=ABROAD, paise=10_000)) for _ in range(5)]
    for _ in range(10):
        verify.verify_due()

    drain(Role.DEBIT)

    assert sorted(each.code for each in sent) == ["00", "00", "00", "Z8", "Z8"]


@pytest.mark.parametrize(
    ("_case", "creds", "code"),
    [
        ("missing", (), "XF"),
        ("malformed", "bad form", "XF"),
        ("bound to another amount", "other amount", "B6"),
    ],
)
def test_a_block_that_cannot_be_used_costs_no_try(hand, asha, deal, _case, creds, code):
    if creds == "bad form":
        made = credential(PIN, deal.binding(), number=asha.number)
        creds = (type(made)(**{**_fields(made), "data": type(made.data)("2.0|AAAA")}),)
    elif creds == "other amount":
        other = Deal(payer=asha, payee=ABROAD, paise=1, id=deal.id)
        creds = (credential(PIN, other.binding(), number=asha.number),)

    sent = hand.debit(deal, creds=creds)
    drain(Role.DEBIT)

    assert sent.code == code
    assert tries() == 3


def _fields(made):
    return {name: getattr(made, name) for name in type(made).__slots__}


def test_a_block_that_is_gone_is_declined_as_a_technical_fault(hand, deal):
    sent = hand.debit(deal)
    PinBlock.objects.all().delete()

    drain(Role.DEBIT)

    assert sent.code == "HS"
    assert tries() == 3


def test_a_block_lost_after_its_claim_costs_one_try(hand, deal):
    sent = hand.debit(deal)
    verify._take_due(ids.uuid7(), None)
    PinBlock.objects.all().delete()
    Leg.objects.update(next_action_at=clock.now())

    drain(Role.DEBIT)

    assert sent.code == "HS"
    assert tries() == 2


def test_a_token_that_is_away_declines_and_gives_the_try_back(hand, deal, monkeypatch):
    away = [PinVerdict.UNAVAILABLE]
    monkeypatch.setattr(pin.hsm_pin, "verify_many", lambda asks: away * len(asks))

    sent = hand.debit(deal)
    drain(Role.DEBIT)

    assert sent.code == "HS"
    assert tries() == 3


@pytest.mark.parametrize("step", ["received", "verifying", "verified"])
def test_a_debit_that_is_not_posting_in_ten_seconds_is_declined(hand, deal, step):
    sent = hand.debit(deal)
    if step == "verifying":
        verify._take_due(ids.uuid7(), None)
    elif step == "verified":
        verify.verify_due()
    Leg.objects.update(post_before_at=clock.now(), next_action_at=clock.now())

    drain(Role.DEBIT)

    assert sent.code == "IR"
    assert state(deal, Role.DEBIT) == "DECLINED"
    assert not Transfer.objects.filter(purpose="UPI_DEBIT").exists()


def test_a_debit_declined_while_verifying_leaves_its_try_with_the_pin_row(hand, deal):
    hand.debit(deal)
    verify._take_due(ids.uuid7(), None)
    Leg.objects.update(post_before_at=clock.now(), next_action_at=clock.now())
    drain(Role.DEBIT)
    assert (tries(), PinState.objects.get().state) == (2, "LEFT")

    PinState.objects.update(next_action_at=clock.now())
    pin.finish_left()

    assert (tries(), PinState.objects.get().state) == (3, "FREE")
    assert not PinBlock.objects.exists()


def test_the_ten_seconds_begin_with_the_earlier_of_receipt_and_heads_time(hand, deal):
    sent_at = clock.now() - dt.timedelta(seconds=7)

    hand.debit(deal, at=sent_at)

    found = leg(deal, Role.DEBIT)
    late = found.post_before_at - sent_at - dt.timedelta(seconds=10)
    assert abs(late) <= dt.timedelta(milliseconds=2)


def test_a_head_from_the_future_gives_no_more_time(hand, deal):
    hand.debit(deal, at=clock.now() + dt.timedelta(seconds=60))

    found = leg(deal, Role.DEBIT)
    assert found.post_before_at <= found.received_at + dt.timedelta(seconds=10)


@pytest.mark.own_books
def test_the_clock_is_read_after_the_lock_of_the_books(hand, deal, settings):
    """A batch that waited behind another one judges time when it may post, not when it asked."""
    hand.debit(deal)
    verify.verify_due()
    seen = []

    def watch(execute, sql, params, many, context):
        seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        advance(Role.DEBIT)

    lock = next(place for place, sql in enumerate(seen) if "pg_advisory_xact_lock" in sql)
    read = next(place for place, sql in enumerate(seen) if "post_before_at <= clock_timest" in sql)
    assert lock < read


def test_an_rrn_of_another_transaction_is_a_duplicate(hand, asha):
    first = Deal(payer=asha, payee=ABROAD)
    hand.debit(first)
    drain(Role.DEBIT)
    second = Deal(payer=asha, payee=ABROAD, rrn=first.rrn)

    sent = hand.debit(second)
    drain(Role.DEBIT)

    assert sent.code == "DT"
    assert tries() == 3


def test_another_participants_equal_rrn_is_no_duplicate(hand, asha):
    first = Deal(payer=asha, payee=ABROAD)
    hand.debit(first)
    second = Deal(payer=asha, payee=ABROAD, rrn=first.rrn, id=ids.new_upi_id("OTH"))

    sent = hand.debit(second)
    drain(Role.DEBIT)

    assert sent.code == "00"


def test_the_answer_is_recorded_with_the_transfer_and_sent_after_the_commit(hand, deal):
    hand.debit(deal)
    verify.verify_due()
    hand.switch.plan = ["silent"]

    advance(Role.DEBIT)

    assert state(deal, Role.DEBIT) == "POSTED"
    exchange = Exchange.objects.get(pk=leg(deal, Role.DEBIT).exchange_id)
    assert (exchange.state, exchange.sends) == ("DUE", 1)


def test_a_lost_ack_moves_no_money_and_the_same_bytes_go_again(hand, deal):
    sent = hand.debit(deal)
    verify.verify_due()
    hand.switch.plan = ["silent"]
    advance(Role.DEBIT)
    Exchange.objects.filter(next_action_at__isnull=False).update(next_action_at=clock.now())

    drain()

    bodies = [
        posted.body
        for posted in hand.switch.posted
        if b"RespPay" in posted.body and deal.id.encode() in posted.body
    ]
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]
    assert sent.code == "00"
    assert Transfer.objects.filter(purpose="UPI_DEBIT").count() == 1
    assert history(deal, Role.DEBIT) == ["RECEIVED", "VERIFYING", "VERIFIED", *posted()]
