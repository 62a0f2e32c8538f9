"""Payments before a real core-banking host: what goes well, what comes late, and what is undone."""

import contextlib
import dataclasses
import random
import time

import pytest

from apps.accounts.core_banking.base import core_banking
from apps.accounts.models import CoreBankingCall, UnmatchedAnswer
from apps.accounts.states import CallKind, CallState, Unmatched
from apps.common import clock
from apps.common.money import ZERO, Money
from apps.ledger.selectors import books_sum
from apps.payments.models import Leg
from apps.payments.states import Role, State, is_final
from tests.api.people import open_shop
from tests.bank_host import EVERYWHERE, held, mirrored, moved
from tests.payments.hand import Deal, Side, drain, history, state
from tests.payments.payer import shop_side
from tests.payments.sale import Sale

ABROAD = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")
DEBITS = {"mti": "0200", "processing_code": "000000"}
ENQUIRIES = {"mti": "0200", "processing_code": "380000"}
OPENING, PAID = 100_000, 14950


@pytest.fixture
def asha(at_host, hand):
    return hand.account(paise=OPENING)


@pytest.fixture
def deal(asha):
    return Deal(payer=asha, payee=ABROAD)


@contextlib.contextmanager
def impatient():
    """Do not wait long for what the host was told to keep to itself."""
    adapter = core_banking()
    patient = adapter._options
    adapter._options = dataclasses.replace(patient, answer_seconds=0.3)
    try:
        yield
    finally:
        adapter._options = patient


def again(*roles):
    """Let the time pass until legs are looked at once more, and look."""
    Leg.objects.filter(next_action_at__isnull=False).update(next_action_at=clock.now())
    drain(*roles)


def again_until(condition, *roles):
    # A host that chance has marked down stays so for half a minute.
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
        again(*roles)


def wait_until(condition):
    deadline = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found


def sent_kinds(deal):
    """Return what the host was sent about a payment, in order."""
    legs = Leg.objects.filter(transaction_id=deal.id).values("pk")
    return list(
        CoreBankingCall.objects.filter(leg_id__in=legs)
        .order_by("pk")
        .values_list("kind", flat=True)
    )


def books_agree():
    return mirrored() == moved() and books_sum() == ZERO


def test_money_leaves_comes_back_and_arrives_at_the_host(at_host, hand, asha, deal):
    sent = hand.debit(deal)
    drain(Role.DEBIT)
    taken = held(asha.number)
    reversal = hand.reversal(deal, "DEBIT")
    inward = Deal(payer=ABROAD, payee=asha, paise=700)
    credited = hand.credit(inward)
    drain()

    assert (sent.code, reversal.code, credited.code) == ("00", "00", "00")
    assert (taken, held(asha.number)) == (Money(OPENING - PAID), Money(OPENING + 700))
    assert books_agree()


def test_a_merchant_is_paid_and_gives_back_at_the_host(at_host, hand):
    shop = open_shop()
    sale = Sale(hand, shop, shop_side(hand, shop))
    _, back = sale.refund(amount=5000)
    debited = hand.refund_debit(back)
    drain(Role.DEBIT)

    assert debited.code == "00"
    assert held(sale.side.number) == Money(PAID - 5000)
    assert books_agree()


def test_the_host_names_missing_funds_and_the_day_is_not_used_up(at_host, hand):
    poor = hand.account(paise=PAID - 1)

    sent = hand.debit(Deal(payer=poor, payee=ABROAD))
    drain(Role.DEBIT)

    assert sent.code == "Z9"
    assert held(poor.number) == Money(PAID - 1)
    assert books_agree()


def test_b08_an_approval_after_our_patience_is_the_debits_end(at_host, hand, asha, deal):
    at_host.fault("late", seconds=0.8, match=DEBITS)
    sent = hand.debit(deal)
    with impatient():
        drain(Role.DEBIT)
    assert (state(deal, Role.DEBIT), hand.answers(sent)) == ("UNKNOWN", [])

    wait_until(lambda: CoreBankingCall.objects.filter(state=CallState.LATE).exists())
    again(Role.DEBIT)

    assert history(deal, Role.DEBIT)[-3:] == ["POSTING", "UNKNOWN", "POSTED"]
    assert (sent.code, sent_kinds(deal)) == ("00", ["DEBIT"])
    assert held(asha.number) == Money(OPENING - PAID)
    assert books_agree()


def test_b09_an_approval_after_the_cancellation_is_listed_and_posts_nothing(
    at_host, hand, asha, deal
):
    at_host.fault("late", seconds=3, match=DEBITS)
    at_host.fault("timeout_applied", count=100, match=ENQUIRIES)
    sent = hand.debit(deal)
    with impatient():
        drain(Role.DEBIT)
        again_until(lambda: state(deal, Role.DEBIT) == "DECLINED", Role.DEBIT)

    kept = wait_until(UnmatchedAnswer.objects.first)
    again()
    assert (kept.reason, kept.response_code) == (Unmatched.AFTER_CANCEL, "00")
    assert history(deal, Role.DEBIT)[-3:] == ["UNKNOWN", "CANCELLING", "DECLINED"]
    assert (sent.code, sent_kinds(deal).count(CallKind.CANCEL)) == ("XY", 1)
    assert held(asha.number) == Money(OPENING)
    assert books_agree()


def test_b15_a_debit_done_in_part_is_undone_and_declined(at_host, hand, asha, deal):
    at_host.fault("partial", match=DEBITS)
    sent = hand.debit(deal)
    with impatient():
        drain(Role.DEBIT)
        again_until(lambda: state(deal, Role.DEBIT) == "DECLINED", Role.DEBIT)

    assert "POSTED" not in history(deal, Role.DEBIT)
    assert sent.code == "XY"
    assert held(asha.number) == Money(OPENING)
    assert books_agree()


# What chance does to a message: a good half meets something. A return that is done in part is not
# among it, for no message ends that: a person does.
RATES = {
    "timeout_applied": 0.1, "timeout_not_applied": 0.1, "late": 0.08, "held": 0.06,
    "duplicate": 0.04, "crossed_stan": 0.04, "other_amount": 0.04, "other_rrn": 0.04,
    "other_account": 0.04, "bad_mac": 0.04, "garbage": 0.03, "torn": 0.03, "reset": 0.03,
}  # fmt: skip
SEEDS = range(8) if EVERYWHERE else range(1)
DEALS, ROUNDS = 10, 5


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_chance_does_at_the_host_both_books_say_the_same(at_host, hand, asha, seed):
    """A model of the account: it has what the legs that ended as posted moved, and no more."""
    chance = random.Random(seed)
    at_host.order("/random_faults", seed=seed, rates=RATES, seconds=0.6)
    deals = [make_a_deal(hand, asha, chance) for _ in range(DEALS)]
    with impatient():
        drain()
        for deal in chance.sample(deals, DEALS // 2):
            hand.reversal(deal, "DEBIT" if deal.payer is asha else "CREDIT")
        for _ in range(ROUNDS):
            again()
    at_host.control.delete("/faults").raise_for_status()
    again_until(lambda: all(has_ended(leg) for leg in Leg.objects.all()))

    done = Leg.objects.filter(state="POSTED").select_related("transaction")
    change = sum(leg.transaction.amount_paise * (-1 if leg.role == "DEBIT" else 1) for leg in done)
    assert Leg.objects.count() >= DEALS
    assert held(asha.number) == Money(OPENING + change)
    assert books_agree()


def has_ended(leg):
    return is_final(Role(leg.role), State(leg.state))


def make_a_deal(hand, asha, chance):
    paise = chance.randrange(1, 5000)
    if chance.random() < 0.6:
        deal = Deal(payer=asha, payee=ABROAD, paise=paise)
        hand.debit(deal)
    else:
        deal = Deal(payer=ABROAD, payee=asha, paise=paise)
        hand.credit(deal)
    return deal
