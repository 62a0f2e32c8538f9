"""What operators see of payments that did not go well: codes, words in two languages, scores."""

import datetime as dt

import pytest

from apps.accounts.models import CoreBankingCall
from apps.common import clock
from apps.operators import roles
from apps.payments.states import Role
from apps.upi.contracts import RiskScore
from tests.operators.factory import make_operator
from tests.payments.hand import Deal, Side, drain, leg
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


def test_calls_to_a_host_are_steps_of_the_payment(browser, hand):
    deal = Deal(payer=hand.account(), payee=ABROAD, paise=1_23_456_78)
    hand.debit(deal)
    drain(Role.DEBIT)
    at = clock.now().replace(hour=20, minute=0, second=0, microsecond=0)
    named = {
        "leg_id": leg(deal, Role.DEBIT).pk,
        "mti_class": "02",
        "acquirer": "900001",
        "business_date": clock.business_date(at),
        "terminal": "EXBUPI01",
        "transmitted_at": at,
        "rrn": "632700000042",
        "amount_paise": deal.paise,
    }
    debit = CoreBankingCall.objects.create(**named, kind="DEBIT", stan=42, state="SILENT")
    CoreBankingCall.objects.create(
        **named,
        kind="ENQUIRY",
        original=debit,
        stan=43,
        state="LATE",
        repeats=1,
        repeated_at=at + dt.timedelta(seconds=1),
        response_code="00",
        original_code="51",
        answered_at=at + dt.timedelta(seconds=2),
        settlement_date=dt.date(2026, 11, 24),
    )

    page = page_of(browser, deal)

    assert "core banking" in page
    assert "→ debit ₹1,23,456.78: no answer in time" in page
    assert "→ enquiry sent again" in page
    assert "← enquiry answered late: 00, the call had 51" in page
    assert "STAN 000042" in page
    assert "account XXXXXXXX" in page
    assert deal.payer.number not in page
    # By the Indian clock it is the next day.
    assert "01:30:00" in page
