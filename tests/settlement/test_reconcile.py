"""Every way in which our books and the switch's file can differ is found."""

import datetime as dt

from django.db import connection, transaction

from apps.common import clock
from apps.common.money import Money
from apps.ledger.contracts import Chart, TransferOrder
from apps.ledger.selectors import account_id_by_code
from apps.ledger.services.posting import post_transfers
from apps.payments.models import FileVerdict, Leg
from apps.payments.states import Role
from apps.settlement.contracts import BreakKind
from apps.settlement.services.reconcile import reconcile
from apps.settlement.services.take_file import take_file
from apps.upi.timer_models import Timer
from tests.conftest import _owner
from tests.payments.hand import drain, state
from tests.payments.payer import enrol_payee, enrol_payer
from tests.settlement.files import ABROAD, credited, debited, row, write

TODAY = clock.business_date(clock.now())


def breaks(*rows):
    found = take_file(write(*rows), date=TODAY, is_complete=False)
    result = reconcile(found, date=TODAY, now=clock.now() + dt.timedelta(minutes=1))
    return [(each.kind, each.transaction_id) for each in result.breaks]


def details(*rows):
    found = take_file(write(*rows), date=TODAY, is_complete=False)
    result = reconcile(found, date=TODAY, now=clock.now() + dt.timedelta(minutes=1))
    return [each.detail for each in result.breaks]


def test_a_day_that_agrees_has_no_breaks(hand, outward, inward):
    debited(hand, outward)
    credited(hand, inward)

    assert breaks(row(outward), row(inward)) == []


def test_a_declined_payment_agrees_with_its_decline(hand, outward):
    hand.debit(outward, pin="000000")
    drain()

    assert breaks(row(outward, "ZM")) == []


def test_a_reversed_debit_agrees_with_its_failure(hand, outward):
    debited(hand, outward)
    hand.reversal(outward, "DEBIT")
    drain()

    assert breaks(row(outward, "BT")) == []


def test_a_debit_that_the_file_expects_is_missed(hand, outward):
    hand.debit(outward, pin="000000")
    drain()

    assert breaks(row(outward, "00")) == [(BreakKind.DEBIT_MISSING, outward.id)]


def test_a_debit_that_we_never_heard_of_is_missed(hand, outward):
    assert breaks(row(outward, "00")) == [(BreakKind.DEBIT_MISSING, outward.id)]


def test_a_debit_that_the_file_calls_failed_is_unexpected(hand, outward):
    debited(hand, outward)

    assert breaks(row(outward, "UT")) == [(BreakKind.DEBIT_UNEXPECTED, outward.id)]


def test_a_credit_that_the_file_expects_is_missed(hand, inward):
    hand.credit(inward)
    Leg.objects.update(post_before_at=clock.now())
    drain()

    assert breaks(row(inward, "00")) == [(BreakKind.CREDIT_MISSING, inward.id)]


def test_a_credit_that_the_file_calls_failed_is_unexpected_and_open(hand, inward):
    credited(hand, inward)

    assert breaks(row(inward, "BT")) == [
        (BreakKind.CREDIT_UNEXPECTED, inward.id),
        (BreakKind.OPEN_ITEM, inward.id),
    ]
    assert any("CREDIT_OF_FAILED" in detail for detail in details(row(inward, "BT")))


def test_a_deemed_credit_that_is_not_posted_is_owed(hand, inward):
    assert breaks(row(inward, "RB")) == [(BreakKind.OPEN_ITEM, inward.id)]
    assert "CREDIT_OWED" in details(row(inward, "RB"))[0]


def test_a_deemed_credit_that_is_posted_agrees(hand, inward):
    credited(hand, inward)

    assert breaks(row(inward, "RB")) == []


def test_another_amount_is_found(hand, outward):
    debited(hand, outward)

    assert breaks(row(outward, setAmount="149.51")) == [(BreakKind.AMOUNT_DIFFERS, outward.id)]


def test_another_rrn_is_found(hand, outward):
    debited(hand, outward)

    assert breaks(row(outward, rrn="999999999999")) == [(BreakKind.RRN_DIFFERS, outward.id)]


def test_another_account_is_found(hand, outward, inward):
    debited(hand, outward)
    credited(hand, inward)

    assert breaks(
        row(outward, remAccountNo="009999999999"), row(inward, beneAccountNo="009999999999")
    ) == [(BreakKind.ACCOUNT_DIFFERS, deal.id) for deal in sorted([outward, inward], key=_id)]


def _id(deal):
    return deal.id


def test_books_that_do_not_balance_are_found(hand, outward):
    debited(hand, outward)
    with _owner() as owner:
        owner.execute(
            "UPDATE ledger_account SET credits_posted_paise = credits_posted_paise + 1 "
            "WHERE code = %s",
            [Chart.SWITCH_PAYABLE],
        )

    assert breaks(row(outward)) == [(BreakKind.BOOKS_UNBALANCED, "")]


def test_a_posting_that_no_file_knows_is_found(hand, outward, inward):
    debited(hand, outward)
    credited(hand, inward)

    assert breaks(row(inward)) == [(BreakKind.NOT_IN_FILE, outward.id)]


def test_a_debit_that_was_given_back_need_not_be_in_the_file(hand, outward):
    debited(hand, outward)
    hand.reversal(outward, "DEBIT")
    drain()

    assert breaks() == []


def test_a_posting_still_under_way_is_left_for_the_next_time(hand, outward, settings):
    settings.UPI_TIMERS_FIXED = settings.UPI_TIMERS_FIXED | {Timer.CHECK_FIRST_AFTER: 90}
    debited(hand, outward)

    assert breaks() == []


def test_our_psps_word_against_the_files_is_found(hand):
    asha = enrol_payer(hand)
    deal = asha.pay(ABROAD)
    drain(Role.PAYER_PSP)
    debited(hand, deal)
    hand.answer_payment(deal, "FAILURE", "U31~XI")

    kinds = [kind for kind, _ in breaks(row(deal, "00"))]

    assert kinds == [BreakKind.OPEN_ITEM, BreakKind.STATUS_DIFFERS]


def test_a_leg_without_its_transfer_is_found(hand, outward):
    debited(hand, outward)
    with owner() as cursor:
        cursor.execute("ALTER TABLE ledger_transfer_key DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM ledger_transfer_key")
        cursor.execute("ALTER TABLE ledger_transfer_key ENABLE TRIGGER USER")

    found = breaks(row(outward))

    assert (BreakKind.LEG_WITHOUT_TRANSFER, outward.id) in found


def test_a_transfer_without_its_leg_is_found(hand, outward):
    order = TransferOrder(
        key=f"CREDIT/CREDIT/{outward.id}",
        debit_account=account_id_by_code(Chart.SWITCH_RECEIVABLE),
        credit_account=account_id_by_code(Chart.SWITCH_PAYABLE),
        amount=Money(100),
        purpose="UPI_CREDIT",
    )
    with transaction.atomic():
        post_transfers([order])

    assert breaks() == [(BreakKind.TRANSFER_WITHOUT_LEG, outward.id)]


def test_a_transfer_of_another_amount_than_its_leg_is_found(hand, outward):
    debited(hand, outward)
    with _owner() as owner:
        owner.execute(
            "ALTER TABLE payments_transaction DISABLE TRIGGER append_only;"
            "UPDATE payments_transaction SET amount_paise = 99;"
            "ALTER TABLE payments_transaction ENABLE TRIGGER append_only"
        )

    found = breaks(row(outward, setAmount="0.99"))

    assert (BreakKind.TRANSFER_DIFFERS, outward.id) in found


def test_every_open_item_is_a_break(hand):
    asha = enrol_payer(hand)
    deal = asha.pay(ABROAD)
    hand.switch.plan = ["silent"]
    drain(Role.PAYER_PSP)

    assert breaks() == [(BreakKind.OPEN_ITEM, deal.id)]
    assert details()[0].startswith("UNKNOWN UNKNOWN; operations")


def owner():
    """Return a connection that can plant what no role of the platform may write."""
    return _owner()


def test_a_file_ends_what_hangs(hand):
    asha = enrol_payer(hand)
    ravi = enrol_payee(hand)
    ends = {}
    for code in ("00", "RB", "U30"):
        deal = asha.pay(ravi)
        hand.switch.plan = ["silent"]
        drain(Role.PAYER_PSP)
        hand.authorise(deal)
        drain(Role.PAYEE_PSP)
        ends[code] = deal

    take_file(
        write(*[row(deal, code) for code, deal in ends.items()]), date=TODAY, is_complete=False
    )

    assert {code: state(deal, Role.PAYER_PSP) for code, deal in ends.items()} == {
        "00": "SUCCESS",
        "RB": "DEEMED",
        "U30": "FAILED",
    }
    assert {code: state(deal, Role.PAYEE_PSP) for code, deal in ends.items()} == {
        "00": "CONFIRMED",
        "RB": "CONFIRMED",
        "U30": "FAILED",
    }


def test_absence_proves_nothing_until_two_complete_files_lack_it(hand):
    asha = enrol_payer(hand)
    deal = asha.pay(ABROAD)
    hand.switch.plan = ["silent"]
    drain(Role.PAYER_PSP)
    tomorrow = TODAY + dt.timedelta(days=1)

    take_file(write(), date=TODAY, is_complete=True)
    assert state(deal, Role.PAYER_PSP) == "UNKNOWN"

    take_file(write(), date=tomorrow, is_complete=False)
    assert state(deal, Role.PAYER_PSP) == "UNKNOWN"

    take_file(write(), date=tomorrow, is_complete=True)
    assert state(deal, Role.PAYER_PSP) == "FAILED"


def test_absence_does_not_end_a_payment_of_the_later_day(hand):
    asha = enrol_payer(hand)
    deal = asha.pay(ABROAD)
    hand.switch.plan = ["silent"]
    drain(Role.PAYER_PSP)
    yesterday = TODAY - dt.timedelta(days=1)

    take_file(write(), date=yesterday, is_complete=True)
    take_file(write(), date=TODAY, is_complete=True)

    assert state(deal, Role.PAYER_PSP) == "UNKNOWN"


def test_a_row_that_contradicts_our_books_does_not_hold_up_the_file(hand, outward, inward):
    debited(hand, outward)
    credited(hand, inward)

    found = breaks(row(outward, "RR", rrn="999999999999"), row(inward))

    assert (BreakKind.RRN_DIFFERS, outward.id) in found
    assert FileVerdict.objects.count() == 2
    assert not Leg.objects.filter(role=Role.REVERSAL).exists()
    assert connection.in_atomic_block is False
