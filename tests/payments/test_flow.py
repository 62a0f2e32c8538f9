"""A payment in every role, from the switch's message to our answer."""

from apps.common.money import Money
from apps.ledger.contracts import Chart
from apps.ledger.selectors import account_by_code, books_sum
from apps.payments.states import Role
from tests.bank_host import posted
from tests.payments.hand import Deal, Side, drain, history

ABROAD = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")


def test_a_debit_with_the_right_pin_is_posted_and_answered(hand):
    asha = hand.account(paise=100_000)
    deal = Deal(payer=asha, payee=ABROAD, paise=14950)

    sent = hand.debit(deal)
    drain(Role.DEBIT)

    assert sent.err == ""
    assert sent.code == "00"
    assert history(deal, Role.DEBIT) == ["RECEIVED", "VERIFYING", "VERIFIED", *posted()]
    assert account_by_code(Chart.SWITCH_PAYABLE).balance == Money(14950)
    assert books_sum() == Money(0)


def test_a_credit_is_posted_and_answered(hand):
    ravi = hand.plain_account("001234567899")
    deal = Deal(payer=ABROAD, payee=ravi, paise=14950)

    sent = hand.credit(deal)
    drain(Role.CREDIT)

    assert sent.code == "00"
    assert history(deal, Role.CREDIT) == ["RECEIVED", *posted()]
    assert account_by_code(Chart.SWITCH_RECEIVABLE).balance == Money(-14950)
    assert books_sum() == Money(0)
