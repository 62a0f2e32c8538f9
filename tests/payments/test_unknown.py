"""What ends a posting of which nobody knows whether it was made (payments.md 4)."""

import pytest
from django.conf import settings as configured

from apps.accounts.models import BankAccount
from apps.common import clock
from apps.common.money import Money
from apps.messaging import claims
from apps.messaging.models import DeadLetter
from apps.payments.models import Leg
from apps.payments.open_items import ItemKind, open_items
from apps.payments.services import credit, posting, unknown, verify
from apps.payments.services.legs import TABLE
from apps.payments.states import Role
from apps.risk.selectors import used_on
from tests.payments.hand import Deal, Side, drain, history, leg, state
from tests.payments.host import Host

ABROAD = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")
ENQUIRIES = len(configured.HOST_ENQUIRY_SECONDS)
CANCELLATIONS = len(configured.HOST_CANCEL_SECONDS)


@pytest.fixture
def host(monkeypatch):
    host = Host()
    monkeypatch.setattr(posting, "core_banking", lambda: host)
    monkeypatch.setattr(unknown, "core_banking", lambda: host)
    return host


@pytest.fixture
def deal(hand):
    return Deal(payer=hand.account(), payee=ABROAD)


@pytest.fixture
def silence(hand, host, deal):
    """A debit of which the host has said nothing."""
    sent = hand.debit(deal)
    verify.verify_due()
    host.plan = ["silent"]
    drain(Role.DEBIT)
    assert state(deal, Role.DEBIT) == "UNKNOWN"
    return sent


def again(role=Role.DEBIT):
    """Let the time pass until the leg is looked at once more, and look."""
    Leg.objects.filter(next_action_at__isnull=False).update(next_action_at=clock.now())
    drain(role)


def used():
    return used_on(BankAccount.objects.first().pk, clock.business_date(clock.now()))


def kinds(host):
    return [kind for kind, _ in host.asked]


def test_an_enquiry_that_finds_the_posting_ends_it(hand, host, deal, silence):
    host.told = ["post"]

    again()

    assert history(deal, Role.DEBIT)[-3:] == ["POSTING", "UNKNOWN", "POSTED"]
    assert silence.code == "00"
    assert kinds(host) == ["enquiry"]
    assert len(host.called) == 1


def test_an_enquiry_that_finds_a_decline_ends_it_without_a_cancellation(hand, host, deal, silence):
    host.told = ["decline"]

    again()

    assert history(deal, Role.DEBIT)[-3:] == ["UNKNOWN", "CANCELLING", "DECLINED"]
    assert silence.code == "Z9"
    assert used() == (Money(0), 0)
    assert kinds(host) == ["enquiry"]


def test_nothing_found_proves_nothing_and_is_asked_again(hand, host, deal, silence):
    host.told = ["not found", "post"]

    again()
    assert state(deal, Role.DEBIT) == "UNKNOWN"
    assert hand.answers(silence) == []
    again()

    assert silence.code == "00"


def test_without_a_line_no_try_is_counted(hand, host, deal, silence):
    host.told = ["no line"] * (2 * ENQUIRIES)

    for _ in range(2 * ENQUIRIES):
        again()

    assert state(deal, Role.DEBIT) == "UNKNOWN"
    assert leg(deal, Role.DEBIT).next_action_at is not None


def test_what_enquiries_do_not_end_is_cancelled_and_declined(hand, host, deal, silence):
    host.told = ["silent"] * ENQUIRIES + ["silent", "undone"]

    for _ in range(ENQUIRIES):
        again()
    assert state(deal, Role.DEBIT) == "CANCELLING"
    assert hand.answers(silence) == []
    again()
    again()

    assert history(deal, Role.DEBIT)[-3:] == ["UNKNOWN", "CANCELLING", "DECLINED"]
    assert silence.code == "XY"
    assert used() == (Money(0), 0)
    assert kinds(host) == ["enquiry"] * ENQUIRIES + ["cancellation"] * 2


def test_a_host_that_may_post_after_a_cancellation_is_only_asked(hand, host, deal, silence):
    host.cancels_for_good = False

    for _ in range(2 * ENQUIRIES):
        again()

    assert state(deal, Role.DEBIT) == "UNKNOWN"
    assert set(kinds(host)) == {"enquiry"}


def test_a_cancellation_that_nobody_acknowledges_waits_for_a_person(hand, host, deal, silence):
    for _ in range(ENQUIRIES + CANCELLATIONS + 3):
        again()

    assert kinds(host).count("cancellation") == CANCELLATIONS
    assert state(deal, Role.DEBIT) == "CANCELLING"
    (item,) = open_items(ItemKind.PARKED)
    assert (item.role, item.exposure) == ("DEBIT", deal.amount)
    assert DeadLetter.objects.get().owner == "operations"
    host.told = ["undone"]
    claims.unpark(table=TABLE, row_ids=[leg(deal, Role.DEBIT).pk])
    again()
    assert silence.code == "XY"


def test_a_reversal_that_waits_goes_on_when_the_debit_was_posted(hand, host, deal, silence):
    reversal = hand.reversal(deal, "DEBIT")
    drain(Role.REVERSAL)
    assert hand.answers(reversal) == []
    host.told = ["post"]

    again()
    drain(Role.REVERSAL)

    assert reversal.code == "00"
    assert [order.kind for order in host.called] == ["DEBIT", "REVERSAL"]


def test_a_reversal_has_nothing_to_do_when_the_debit_was_cancelled(hand, host, deal, silence):
    reversal = hand.reversal(deal, "DEBIT")
    host.told = ["not found"] * ENQUIRIES + ["undone"]

    for _ in range(ENQUIRIES + 1):
        again()
    drain(Role.REVERSAL)

    assert reversal.code == "ND"
    assert [order.kind for order in host.called] == ["DEBIT"]


def test_a_return_is_asked_about_until_the_host_answers_and_never_cancelled(hand, host, deal):
    hand.debit(deal)
    verify.verify_due()
    drain(Role.DEBIT)
    reversal = hand.reversal(deal, "DEBIT")
    host.plan = ["silent"]
    drain(Role.REVERSAL)

    for _ in range(2 * ENQUIRIES):
        again(Role.REVERSAL)
    assert state(deal, Role.REVERSAL) == "UNKNOWN"
    host.told = ["post"]
    again(Role.REVERSAL)

    assert reversal.code == "00"
    assert set(kinds(host)) == {"enquiry"}
    assert {order.account_number for _, order in host.asked} == {deal.payer.number}
    assert used() == (Money(0), 0)


def test_new_debits_and_credits_are_declined_at_once_while_the_host_is_away(hand, host, deal):
    inward = Deal(payer=ABROAD, payee=hand.plain_account("001234567899"))
    asked = hand.debit(deal), hand.credit(inward)
    verify.verify_due()
    host.is_up = False

    drain()

    assert [sent.code for sent in asked] == ["XY", "Y1"]
    assert host.called == []
    assert used() == (Money(0), 0)


def test_a_return_waits_for_a_host_that_is_away(hand, host, deal):
    hand.debit(deal)
    verify.verify_due()
    drain(Role.DEBIT)
    reversal = hand.reversal(deal, "DEBIT")
    host.is_up = False
    drain(Role.REVERSAL)
    assert state(deal, Role.REVERSAL) == "WAITING_ORIGINAL"
    host.is_up = True

    again(Role.REVERSAL)

    assert reversal.code == "00"


def test_a_credit_found_posted_is_answered(hand, host):
    inward = Deal(payer=ABROAD, payee=hand.plain_account("001234567899"))
    sent = hand.credit(inward)
    host.plan, host.told = ["silent"], ["post"]
    credit.post_due()

    again(Role.CREDIT)

    assert sent.code == "00"
    assert history(inward, Role.CREDIT)[-2:] == ["UNKNOWN", "POSTED"]


def test_a_word_under_a_claim_that_is_lost_is_not_recorded(hand, host, deal, silence):
    host.told = ["decline"]
    lost = Leg.objects.filter(state="UNKNOWN")
    lost.update(next_action_at=clock.now())
    say = host._ask

    def slow(kind, admit, still_ours, record):
        def late(leg_ids):
            lost.update(claim=None)
            return still_ours(leg_ids)

        return say(kind, admit, late, record)

    host._ask = slow
    unknown.enquire_due(Role.DEBIT)

    assert state(deal, Role.DEBIT) == "UNKNOWN"
    assert hand.answers(silence) == []


@pytest.mark.parametrize(
    ("word", "state_before", "end"),
    [("post", "UNKNOWN", "POSTED"), ("undone", "CANCELLING", "DECLINED")],
)
def test_a_leg_that_breaks_the_record_waits_alone(hand, host, monkeypatch, word, state_before, end):
    deals = [
        Deal(payer=hand.account(number=f"00123456780{n}", mobile=f"91980000010{n}"), payee=ABROAD)
        for n in range(5)
    ]
    for each in deals:
        hand.debit(each)
    host.plan = ["silent"] * 5
    drain(Role.DEBIT)
    Leg.objects.update(state=state_before)
    complete, broken = unknown.complete, leg(deals[2], Role.DEBIT).id

    def break_on_one(decisions):
        assert all(each.job.id != broken for each in decisions), "a bug that one leg meets"
        complete(decisions)

    monkeypatch.setattr(unknown, "complete", break_on_one)
    host.told = [word] * 100

    again()

    assert [state(each, Role.DEBIT) for each in deals].count(end) == 4
    assert state(deals[2], Role.DEBIT) == state_before
    assert leg(deals[2], Role.DEBIT).attempts == 1
    for _ in range(configured.CLAIM_ATTEMPTS_MAX - 1):
        again()
    assert leg(deals[2], Role.DEBIT).parked_at is not None
