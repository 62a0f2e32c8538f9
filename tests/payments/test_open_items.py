"""What is listed, with its owner, and what takes it off the list (payments.md 8)."""

import pytest

from apps.accounts.models import CoreBankingCall, UnmatchedAnswer
from apps.common import clock
from apps.common.clock import business_date
from apps.common.money import Money
from apps.operators import roles
from apps.operators.models import AuditEntry
from apps.payments import selectors
from apps.payments.open_items import OWNERS, ItemKind, open_items
from apps.payments.services import settle
from apps.payments.states import Role
from apps.upi.timer_models import Timer
from tests.api.people import open_shop
from tests.operators.change import REASON, Form
from tests.operators.factory import make_operator
from tests.payments.hand import Deal, Side, drain
from tests.payments.hand import leg as leg_of
from tests.payments.payer import enrol_payee, enrol_payer, shop_side
from tests.payments.sale import Sale

ABROAD = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")


@pytest.fixture
def outward(hand):
    return Deal(payer=hand.account(), payee=ABROAD)


@pytest.fixture
def inward(hand):
    return Deal(payer=ABROAD, payee=enrol_payee(hand))


def file_says(deal, code):
    """Apply a day's file with one row about the payment."""
    (job, *_) = selectors.jobs_of([deal.id], list(Role))
    row = settle.FileRow(
        facts=job.transaction,
        response_code=code,
        is_remitter=deal.payer.ifsc.startswith("EXBK"),
        is_beneficiary=deal.payee.ifsc.startswith("EXBK"),
        remitter_account=deal.payer.number,
    )
    settle.apply_rows([row], settlement_date=business_date(clock.now()))


def kinds(deal):
    return [item.kind for item in open_items() if item.transaction_id == deal.id]


def reversed_silently(hand, deal):
    hand.debit(deal)
    drain()
    hand.switch.plan = ["nack:U70"]
    hand.reversal(deal, "DEBIT")
    drain()


def test_every_kind_has_an_owner():
    assert set(OWNERS) == set(ItemKind)


def test_nothing_is_listed_of_payments_that_ended_well(hand, outward, inward):
    hand.debit(outward)
    hand.credit(inward)
    drain()
    hand.reversal(outward, "DEBIT")
    drain()

    assert open_items() == []


def test_a_debit_reversal_without_an_ack_is_listed_with_its_exposure_and_age(hand, outward):
    reversed_silently(hand, outward)

    (item,) = open_items()

    assert (item.kind, item.role, item.state) == (
        ItemKind.DEBIT_REVERSAL_UNACKED,
        "REVERSAL",
        "POSTED",
    )
    assert item.exposure == outward.amount
    assert item.rrn == outward.rrn
    assert "DRC" in item.owner
    assert (clock.now() - item.since).total_seconds() < 60


def test_a_debit_reversal_answered_too_late_is_listed_whenever_it_posted(hand, outward, settings):
    hand.debit(outward)
    drain()
    settings.UPI_TIMERS_FIXED = settings.UPI_TIMERS_FIXED | {Timer.REVERSAL_ANSWER: 0}
    hand.reversal(outward, "DEBIT")
    drain()

    assert kinds(outward) == [ItemKind.DEBIT_REVERSAL_UNACKED]


def test_an_ack_of_a_repeat_takes_it_off(hand, outward):
    hand.debit(outward)
    drain()
    hand.switch.plan = ["nack:U70"]
    reversal = hand.reversal(outward, "DEBIT")
    drain()
    assert kinds(outward) == [ItemKind.DEBIT_REVERSAL_UNACKED]

    reversal.again()
    drain()

    assert kinds(outward) == []


@pytest.mark.parametrize(("code", "left"), [("BT", []), ("RR", [ItemKind.DEBIT_REVERSAL_UNACKED])])
def test_the_file_takes_a_debit_reversal_off_unless_it_says_rr(hand, outward, code, left):
    reversed_silently(hand, outward)

    file_says(outward, code)
    drain()

    assert kinds(outward) == left


@pytest.mark.parametrize(
    ("code", "left"),
    [
        ("00", []),
        ("RB", []),
        ("BT", [ItemKind.CREDIT_UNACKED, ItemKind.CREDIT_OF_FAILED]),
    ],
)
def test_a_credit_whose_answer_was_not_acked_is_listed_until_the_file_calls_it_done(
    hand, inward, code, left
):
    hand.switch.plan = ["nack:U70"]
    hand.credit(inward)
    drain()
    assert kinds(inward) == [ItemKind.CREDIT_UNACKED]

    file_says(inward, code)

    assert kinds(inward) == left


def test_a_credit_whose_answer_expired_is_listed(hand, inward, settings):
    settings.UPI_TIMERS_FIXED = settings.UPI_TIMERS_FIXED | {Timer.ANSWER: 0}
    hand.credit(inward)
    drain()

    assert kinds(inward) == [ItemKind.CREDIT_UNACKED]


def test_a_credit_of_a_payment_that_a_confirmation_calls_failed_is_listed(hand, inward):
    hand.authorise(inward)
    hand.credit(inward)
    drain()
    hand.confirm(inward, "FAILURE", "U26")

    assert kinds(inward) == [ItemKind.CREDIT_OF_FAILED]


def test_a_credit_of_a_refund_that_failed_is_listed_though_no_payee_was_asked(hand):
    asha, shop = enrol_payer(hand), open_shop()
    sale = Sale(hand, shop, shop_side(hand, shop), payer=asha.side)
    hand.debit(sale.deal)
    drain(Role.DEBIT)
    _, back = sale.refund()
    hand.refund_debit(back)
    hand.credit(back, sub_type="REFUND")
    drain(Role.DEBIT, Role.CREDIT)

    hand.answer_payment(back, "FAILURE", "U68", kind="REFUND")

    assert kinds(back) == [ItemKind.CREDIT_OF_FAILED]


def test_a_credit_of_a_payment_whose_debit_is_reversed_is_listed(hand, outward):
    on_us = Deal(payer=outward.payer, payee=enrol_payee(hand))
    hand.debit(on_us)
    hand.credit(on_us)
    drain()
    hand.reversal(on_us, "DEBIT")
    drain()

    assert kinds(on_us) == [ItemKind.CREDIT_OF_FAILED]


@pytest.mark.parametrize("is_posted", [True, False])
def test_a_credit_reversal_without_an_ack_is_listed(hand, inward, is_posted):
    if is_posted:
        hand.credit(inward)
        drain()
    hand.switch.plan = ["nack:U70"]
    hand.reversal(inward, "CREDIT")
    drain()
    assert kinds(inward) == [ItemKind.CREDIT_REVERSAL_UNACKED]

    file_says(inward, "RB")

    assert kinds(inward) == ([] if is_posted else [ItemKind.CREDIT_OWED])


def test_a_deemed_credit_that_is_not_posted_is_owed_to_the_beneficiary(hand, inward):
    hand.authorise(inward)
    drain()

    file_says(inward, "RB")

    (item,) = open_items(ItemKind.CREDIT_OWED)
    assert (item.transaction_id, item.state, item.exposure) == (inward.id, "NONE", inward.amount)
    assert "TCC" in item.owner


def test_a_deemed_credit_of_another_bank_is_not_ours_to_owe(hand, outward):
    hand.debit(outward)
    drain()

    file_says(outward, "RB")

    assert open_items() == []


def call_to_the_host(deal, **fields):
    leg = leg_of(deal, Role.DEBIT)
    now = clock.now()
    return CoreBankingCall.objects.create(
        leg_id=leg.pk,
        mti_class="02",
        acquirer="900001",
        business_date=business_date(now),
        terminal="EXBUPI01",
        transmitted_at=now,
        rrn="632700000042",
        amount_paise=deal.paise,
        **fields,
    )


def unmatched(**fields):
    return UnmatchedAnswer.objects.create(
        received_at=clock.now(), mti="0210", terminal="EXBUPI01", stan="000042", **fields
    )


def page_of(answer):
    return Form(
        make_operator(roles.OPERATIONS).client,
        f"/admin/accounts/unmatchedanswer/{answer.pk}/close/",
    )


@pytest.mark.own_books  # the call is made here, a leg's one and only
def test_an_unmatched_answer_of_the_host_is_listed_until_an_operator_closes_it(hand, outward):
    hand.debit(outward)
    drain()
    call = call_to_the_host(outward, kind="DEBIT", stan=42)
    answer = unmatched(reason="CONTRADICTION", call=call, amount="000000999900", response_code="51")
    (item,) = open_items()
    form = page_of(answer)
    shown = form.look()

    assert (item.kind, item.transaction_id, item.role, item.state, item.code) == (
        ItemKind.HOST_ANSWER_UNMATCHED,
        outward.id,
        "DEBIT",
        "CONTRADICTION",
        "51",
    )
    assert item.exposure == Money(max(9999_00, outward.paise))
    assert "operations" in item.owner
    assert "000042" in shown.content.decode()
    assert UnmatchedAnswer.objects.get().closed_at is None
    assert form.confirm(shown).status_code == 302
    assert form.confirm(shown).status_code == 409

    kept = UnmatchedAnswer.objects.get()
    assert open_items() == []
    assert (kept.closing_reason, kept.closed_by) != ("", "")
    (entry,) = AuditEntry.objects.filter(action="unmatched_answer_closed")
    assert entry.detail["reason"] == REASON
    assert entry.actor == kept.closed_by


def test_an_answer_to_nothing_we_asked_is_listed_without_a_payment(committed):
    unmatched(reason="NO_CALL", rrn="632700000042", amount="garbage")

    (item,) = open_items()
    home = make_operator(roles.OPERATIONS).client.get("/admin/")

    assert (item.transaction_id, item.rrn, item.exposure) == ("", "632700000042", Money(0))
    assert "RRN 632700000042" in home.content.decode()


def test_only_operations_close_an_unmatched_answer(committed):
    answer = unmatched(reason="NO_CALL")
    form = Form(make_operator(roles.AUDITOR).client, page_of(answer).url)

    assert form.look().status_code == 403
    assert UnmatchedAnswer.objects.get().closed_at is None
