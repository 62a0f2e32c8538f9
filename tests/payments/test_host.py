"""With a core-banking host POSTING is seen, and silence is a state (payments.md 4)."""

import pytest
from django.db import transaction

from apps.accounts.models import BankAccount
from apps.common import clock
from apps.common.money import Money
from apps.payments import selectors
from apps.payments.contracts import Move
from apps.payments.models import Leg
from apps.payments.open_items import ItemKind, open_items
from apps.payments.services import credit, debit, legs, posting, verify
from apps.payments.states import Role, State
from apps.risk.selectors import used_on
from apps.upi.services.answers import send_answers
from tests.payments.hand import Deal, Side, drain, history, leg, state
from tests.payments.host import Host, LineBrokenError

ABROAD = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")


@pytest.fixture
def host(monkeypatch):
    host = Host()
    monkeypatch.setattr(posting, "core_banking", lambda: host)
    return host


@pytest.fixture
def deal(hand):
    return Deal(payer=hand.account(), payee=ABROAD)


def verified(hand, deal):
    sent = hand.debit(deal)
    verify.verify_due()
    return sent


def due():
    Leg.objects.filter(next_action_at__isnull=False).update(next_action_at=clock.now())


def settle(deal, role, target, *, source=State.UNKNOWN):
    """What the host's file or enquiry says ends an unknown posting."""
    with transaction.atomic():
        (job,) = selectors.lock_jobs_of([deal.id], [role])
        assert job.state is source
        decision = posting.Decision(job, target, "00" if target is State.POSTED else "Z9")
        answers = posting.record([decision], lambda _: None, claim=job.id)
    send_answers(answers)


def test_posting_is_committed_before_the_host_is_called(hand, host, deal):
    sent = verified(hand, deal)
    seen = []
    host.before_record = lambda: seen.append(state(deal, Role.DEBIT))

    drain(Role.DEBIT)

    assert seen == ["POSTING"]
    assert history(deal, Role.DEBIT)[-3:] == ["VERIFIED", "POSTING", "POSTED"]
    assert sent.code == "00"


def test_a_decline_of_the_host_gives_limits_back(hand, host, deal):
    sent = verified(hand, deal)
    host.plan = ["decline"]

    drain(Role.DEBIT)

    assert sent.code == "Z9"
    assert history(deal, Role.DEBIT)[-2:] == ["POSTING", "DECLINED"]
    used = used_on(BankAccount.objects.get().pk, clock.business_date(clock.now()))
    assert used == (Money(0), 0)


def test_a_silent_host_is_unknown_and_the_switch_is_not_answered(hand, host, deal):
    sent = verified(hand, deal)
    host.plan = ["silent"]

    drain(Role.DEBIT)

    assert state(deal, Role.DEBIT) == "UNKNOWN"
    assert hand.answers(sent) == []
    (item,) = open_items(ItemKind.UNKNOWN)
    assert (item.role, item.exposure) == ("DEBIT", deal.amount)


def test_a_posting_whose_lease_ended_is_unknown_and_never_sent_again(hand, host, deal):
    verified(hand, deal)
    host.plan = ["die"]
    with pytest.raises(LineBrokenError):
        debit.post_due()
    assert state(deal, Role.DEBIT) == "POSTING"

    due()
    drain(Role.DEBIT)

    assert state(deal, Role.DEBIT) == "UNKNOWN"
    assert len(host.called) == 1


def test_a_posting_in_flight_is_left_alone_until_its_lease_ends(hand, host, deal):
    verified(hand, deal)
    host.before_record = lambda: drain(Role.DEBIT)

    drain(Role.DEBIT)

    assert len(host.called) == 1
    assert state(deal, Role.DEBIT) == "POSTED"


def test_a_word_that_comes_after_the_lease_is_no_longer_recorded(hand, host, deal):
    verified(hand, deal)

    def lose_the_lease():
        due()
        posting.call_unknown(Role.DEBIT)

    host.before_record = lose_the_lease
    drain(Role.DEBIT)

    assert history(deal, Role.DEBIT)[-2:] == ["POSTING", "UNKNOWN"]


def test_a_reversal_waits_for_a_posting_and_the_record_makes_it_due(hand, host, deal):
    verified(hand, deal)
    reversal = hand.reversal(deal, "DEBIT")
    host.before_record = lambda: drain(Role.REVERSAL)

    debit.post_due()
    assert state(deal, Role.REVERSAL) == "WAITING_ORIGINAL"
    assert leg(deal, Role.REVERSAL).next_action_at is not None
    host.before_record = None
    drain()

    assert reversal.code == "00"
    assert [order.kind for order in host.called] == ["DEBIT", "REVERSAL"]


def test_a_reversal_waits_for_an_unknown_original_until_something_proves_it(hand, host, deal):
    verified(hand, deal)
    host.plan = ["silent"]
    drain(Role.DEBIT)
    reversal = hand.reversal(deal, "DEBIT")
    drain(Role.REVERSAL)
    assert hand.answers(reversal) == []
    assert leg(deal, Role.REVERSAL).next_action_at is None

    settle(deal, Role.DEBIT, State.POSTED)
    drain()

    assert reversal.code == "00"
    assert history(deal, Role.REVERSAL) == ["WAITING_ORIGINAL", "POSTING", "POSTED"]


def test_a_cancelled_unknown_ends_declined_and_the_reversal_had_nothing_to_do(hand, host, deal):
    sent = verified(hand, deal)
    host.plan = ["silent"]
    drain(Role.DEBIT)
    reversal = hand.reversal(deal, "DEBIT")
    drain(Role.REVERSAL)
    found = leg(deal, Role.DEBIT)
    with transaction.atomic():
        legs.move(
            [
                Move(
                    leg_id=found.pk,
                    role=Role.DEBIT,
                    source=State.UNKNOWN,
                    target=State.CANCELLING,
                )
            ]
        )
    drain(Role.REVERSAL)
    assert state(deal, Role.REVERSAL) == "WAITING_ORIGINAL"

    settle(deal, Role.DEBIT, State.DECLINED, source=State.CANCELLING)
    drain()

    assert (sent.code, reversal.code) == ("Z9", "ND")


def test_a_credit_reversal_waits_for_an_unknown_credit(hand, host):
    inward = Deal(payer=ABROAD, payee=hand.plain_account("001234567899"))
    hand.credit(inward)
    host.plan = ["silent"]
    credit.post_due()
    reversal = hand.reversal(inward, "CREDIT")
    drain(Role.REVERSAL)
    assert hand.answers(reversal) == []

    settle(inward, Role.CREDIT, State.POSTED)
    drain()

    assert reversal.code == "CS"


def test_a_silent_reversal_is_unknown_and_listed(hand, host, deal):
    verified(hand, deal)
    drain(Role.DEBIT)
    hand.reversal(deal, "DEBIT")
    host.plan = ["silent"]

    drain(Role.REVERSAL)

    assert history(deal, Role.REVERSAL) == ["WAITING_ORIGINAL", "POSTING", "UNKNOWN"]
    assert [item.role for item in open_items(ItemKind.UNKNOWN)] == ["REVERSAL"]
