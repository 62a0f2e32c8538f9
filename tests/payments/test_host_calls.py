"""How long calls to core banking's host are kept, and what keeps them longer."""

import datetime as dt

import pytest

from apps.accounts.models import CoreBankingCall, UnmatchedAnswer
from apps.common import clock, ids
from apps.payments.models import Leg
from apps.payments.services import host_calls, verify
from apps.payments.states import Role
from tests.payments.hand import Deal, Side, drain, leg

ABROAD = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")
LONG_AGO = clock.now() - dt.timedelta(days=host_calls.KEPT_DAYS + 1)
LATELY = clock.now() - dt.timedelta(days=host_calls.KEPT_DAYS - 1)
# The calls are made here, a leg's one and only.
pytestmark = pytest.mark.own_books


@pytest.fixture
def ended(hand) -> Leg:
    deal = Deal(payer=hand.account(), payee=ABROAD)
    hand.debit(deal)
    drain()
    return leg(deal, Role.DEBIT)


def call(leg, kind="DEBIT", *, stan=1, at=LONG_AGO, original=None):
    return CoreBankingCall.objects.create(
        # The first of its millisecond, and distinct by its number.
        id=ids.uuid7_floor(at + dt.timedelta(milliseconds=stan)),
        leg_id=leg.pk if leg else None,
        kind=kind,
        original=original,
        mti_class="04" if kind == "CANCEL" else "02",
        acquirer="900001",
        business_date=clock.business_date(at),
        terminal="EXBUPI01",
        stan=stan,
        transmitted_at=at,
        rrn="632700000042",
        amount_paise=100,
    )


def answer(call, **fields):
    return UnmatchedAnswer.objects.create(
        call=call, reason="CONTRADICTION", received_at=LONG_AGO, **fields
    )


def kept():
    return list(CoreBankingCall.objects.order_by("pk").values_list("stan", flat=True))


def test_what_was_asked_long_ago_goes_with_what_asked_about_it(ended, monkeypatch):
    monkeypatch.setattr(host_calls, "CALLS_MAX", 1)
    debit = call(ended)
    call(ended, "ENQUIRY", stan=2, original=debit)
    call(ended, "CANCEL", stan=3, original=debit)
    answer(debit, closed_at=LONG_AGO, closed_by="one", closing_reason="understood")
    call(None, "BALANCE", stan=4)
    call(None, "BALANCE", stan=5, at=LATELY)

    removed = [host_calls.purge() for _ in range(3)]

    assert removed == [3, 1, 0]
    assert kept() == [5]
    assert not UnmatchedAnswer.objects.exists()


def test_calls_of_a_leg_that_has_not_ended_stay_however_old(hand):
    deal = Deal(payer=hand.account(), payee=ABROAD)
    hand.debit(deal)
    verify.verify_due()
    call(leg(deal, Role.DEBIT))
    waiting = host_calls.purge()

    drain()

    assert (waiting, host_calls.purge()) == (0, 1)


@pytest.mark.parametrize("word", ["UNKNOWN", "CANCELLING", "POSTING"])
def test_every_state_of_a_debit_that_is_not_its_end_keeps_its_calls(word):
    assert f"('DEBIT', '{word}')" in host_calls._OPEN


def test_a_call_stays_while_a_later_one_is_about_it(ended):
    call(ended, "ENQUIRY", stan=2, at=LATELY, original=call(ended))

    assert host_calls.purge() == 0


def test_a_call_stays_while_an_answer_to_it_is_open(ended):
    answer(call(ended))

    assert host_calls.purge() == 0


def test_a_call_stays_while_an_answer_to_what_is_about_it_is_open(ended):
    debit = call(ended)
    answer(call(ended, "ENQUIRY", stan=2, original=debit))

    host_calls.purge()

    assert kept() == [1, 2]
