"""Refunds at the edges: of what is deemed, to whom nobody can pay, while others fail."""

import pytest

from apps.accounts.models import BankAccount
from apps.common import clock
from apps.common.money import Money
from apps.ledger.selectors import books_sum
from apps.payments import selectors
from apps.payments.models import Refund, RefundBound
from apps.payments.open_items import open_items
from apps.payments.services.settle import FileRow, apply_rows
from apps.payments.states import Role
from tests.api.people import open_shop
from tests.api.race import at_once
from tests.bank_host import held
from tests.payments.hand import drain, state
from tests.payments.payer import enrol_payer, shop_side
from tests.payments.sale import PAID, Sale


@pytest.fixture
def sale(hand):
    shop = open_shop()
    return Sale(hand, shop, shop_side(hand, shop))


def file_says(deal, code):
    """Apply the switch's day file, in which we are the beneficiary of the payment."""
    (job,) = selectors.jobs_of([deal.id], [Role.PAYEE_PSP])
    row = FileRow(
        facts=job.transaction,
        response_code=code,
        is_remitter=False,
        is_beneficiary=True,
        remitter_account="",
    )
    apply_rows([row], settlement_date=clock.business_date(clock.now()))


def test_a_deemed_payment_goes_back_once_the_file_calls_it_paid(hand, sale):
    sale.deal = sale.pay("ORD-DEEMED", is_confirmed=False)
    hand.confirm(sale.deal, "DEEMED", "RB")
    assert sale.ask().json()["code"] == "payment_not_refundable"
    assert not Refund.objects.exists()

    file_says(sale.deal, "RB")

    assert sale.ask().status_code == 202
    assert sale.left == 0


def test_what_is_owed_of_a_deemed_payment_waits_for_the_file_too(hand, sale):
    extra = sale.pay(sale.deal.reference, is_confirmed=False)
    hand.confirm(extra, "DEEMED", "RB")
    drain(Role.PAYER_PSP)
    assert Refund.objects.get().state == "OPENED"

    file_says(extra, "RB")
    drain(Role.PAYER_PSP)

    refund = Refund.objects.get()
    assert refund.state == "SENT"
    assert len(hand.posted("ReqPay", refund.refund_transaction_id)) == 1


def test_a_deemed_refund_keeps_its_share(hand, sale):
    shown, deal = sale.refund()

    hand.answer_payment(deal, "DEEMED", "RB", kind="REFUND")

    ended = sale.see(shown)
    assert (ended["status"], ended["finality"], ended["failure"]) == (
        "pending",
        "provisional",
        None,
    )
    assert sale.left == 0
    assert sale.ask(amount=1).json()["code"] == "refund_exceeds_payment"


def test_a_refund_to_a_closed_account_is_declined_and_may_be_tried_again(hand):
    shop, asha = open_shop(), enrol_payer(hand)
    sale = Sale(hand, shop, shop_side(hand, shop), payer=asha.side)
    shown, deal = sale.refund()
    hand.refund_debit(deal)
    drain(Role.DEBIT)
    BankAccount.objects.filter(number=asha.side.number).update(state="CLOSED")

    credit = hand.credit(deal, sub_type="REFUND")
    drain(Role.CREDIT)
    reversal = hand.reversal(deal, "DEBIT")
    drain(Role.REVERSAL)
    hand.answer_payment(deal, "FAILURE", "U31~XI", kind="REFUND")

    assert (credit.code, reversal.code) == ("XI", "00")
    assert sale.see(shown)["failure"]["code"] == "payee_account_unavailable"
    assert (held(sale.side.number), sale.left) == (Money(PAID), PAID)
    assert sale.ask().status_code == 202
    assert books_sum() == Money(0)


def test_a_merchant_whose_account_is_closed_refunds_nothing(hand, sale):
    _, deal = sale.refund()
    BankAccount.objects.filter(number=sale.side.number).update(state="CLOSED")

    debit = hand.refund_debit(deal)
    drain(Role.DEBIT)

    assert (debit.code, state(deal, Role.DEBIT)) == ("XH", "DECLINED")
    hand.answer_payment(deal, "FAILURE", "U30~XH", kind="REFUND")
    assert sale.left == PAID
    assert open_items() == []


def test_refunds_asked_for_while_one_fails_never_come_to_more_than_the_payment(hand, sale):
    _, failing = sale.refund(amount=PAID - 500)

    answers = at_once(
        [lambda: hand.answer_payment(failing, "FAILURE", "U31~XI", kind="REFUND")]
        + [lambda: sale.ask(amount=1000) for _ in range(20)]
    )

    made = sum(getattr(answer, "status_code", 0) == 202 for answer in answers)
    alive = Refund.objects.exclude(state="FAILED")
    bound = RefundBound.objects.get()
    assert Refund.objects.get(refund_transaction_id=failing.id).state == "FAILED"
    assert alive.count() == made <= 14
    assert bound.refunded_paise == made * 1000 <= bound.amount_paise
