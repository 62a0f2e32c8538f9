"""What operators see of payments that did not go well: codes, words in two languages, scores."""

import pytest

from apps.operators import roles
from apps.payments.states import Role
from apps.upi.contracts import RiskScore
from tests.operators.factory import make_operator
from tests.payments.hand import Deal, Side, drain
from tests.payments.payer import enrol_payer

LIST = "/admin/payments/transaction/"
ABROAD = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")


@pytest.fixture
def browser(committed):
    return make_operator(roles.AUDITOR).client


@pytest.fixture
def asha(hand):
    return enrol_payer(hand, paise=100_000)


def failed(hand, asha, code):
    deal = asha.pay(ABROAD, amount=100)
    drain(Role.PAYER_PSP)
    hand.answer_payment(deal, "FAILURE", code)
    return deal


def page_of(browser, deal):
    return browser.get(f"{LIST}{deal.id}/change/").content.decode()


def test_payments_are_found_by_the_inner_code(browser, hand, asha):
    wanted = [failed(hand, asha, code) for code in ("U30~Z9", "U30~Z9|Z9", "Z9")]
    failed(hand, asha, "U31~XI")
    failed(hand, asha, "U68")

    page = browser.get(LIST, {"code": "Z9"})

    found = {row.pk for row in page.context["cl"].result_list}
    assert found == {deal.id for deal in wanted}
    assert "Z9: Insufficient funds (3)" in page.content.decode()


@pytest.mark.parametrize("code", ["\x00", "%", "z9", "Z9' OR 1=1", "X" * 500])
def test_a_code_that_is_none_finds_nothing(browser, hand, asha, code):
    failed(hand, asha, "U30~Z9")

    page = browser.get(LIST, {"code": code})

    assert page.status_code == 200
    assert list(page.context["cl"].result_list) == []


def test_a_failed_payment_shows_what_people_are_told_in_both_languages(browser, hand, asha):
    page = page_of(browser, failed(hand, asha, "U30~Z9"))

    assert "U30~Z9 (BD: Insufficient funds)" in page
    assert "The account has too little money" in page
    assert '<div lang="hi">' in page
    assert "खाते में पर्याप्त राशि नहीं है" in page


def test_a_code_that_nobody_knows_is_said_to_be_one(browser, hand, asha):
    page = page_of(browser, failed(hand, asha, "Q0"))

    assert "Q0 (Not a code that we know)" in page
    assert "The payment was declined" in page
    assert "भुगतान अस्वीकार हुआ" in page


def test_a_payment_that_was_made_explains_nothing(browser, hand, asha):
    deal = asha.pay(ABROAD, amount=100)
    drain(Role.PAYER_PSP)
    hand.answer_payment(deal, "SUCCESS", "00")

    assert "What people are told" not in page_of(browser, deal)


def test_the_scores_of_a_leg_are_shown(browser, hand, asha):
    score = RiskScore(provider="NPCI", type="TXNRISK", value="00777")
    deal = Deal(payer=asha.side, payee=ABROAD, paise=100)
    hand.debit(deal, risk_scores=(score,))
    drain(Role.DEBIT)

    assert "NPCI TXNRISK 777" in page_of(browser, deal)
