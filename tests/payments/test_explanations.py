"""What apps and merchants are told of a payment that failed, or that the banks deem made."""

import pytest

from apps.payments.models import Leg
from apps.payments.states import Role
from tests.api.people import open_shop
from tests.payments.hand import Deal, Side, drain, state
from tests.payments.payer import enrol_payer, shop_side

ABROAD = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")


@pytest.fixture
def asha(hand):
    return enrol_payer(hand)


def ended(hand, payer, result, code):
    deal = payer.pay(ABROAD)
    drain(Role.PAYER_PSP)
    hand.answer_payment(deal, result, code)
    return deal


def see(payer, deal, language):
    headers = {} if language is None else {"Accept-Language": language}
    return payer.client.get(f"/app/v1/payments/{deal.id}", headers=headers).json()


def test_a_failed_payment_says_what_happened_and_what_to_do_next(hand, asha):
    deal = ended(hand, asha, "FAILURE", "U30~Z9")

    assert see(asha, deal, None)["failure"] == {
        "code": "insufficient_funds",
        "upi_code": "U30~Z9",
        "class": "BD",
        "fault": "customer",
        "retryable": False,
        "title": "The account has too little money",
        "explanation": "The balance of the account is lower than the amount. No money has moved.",
        "next_action": "Add money to the account, or pay a smaller amount.",
    }
    assert see(asha, deal, None)["deemed"] is None


def test_a_failure_is_explained_in_the_customers_language(hand, asha):
    deal = ended(hand, asha, "FAILURE", "U31~Y1|Y1")

    hindi = see(asha, deal, "hi-IN,hi;q=0.9,en;q=0.5")["failure"]
    listed = asha.client.get("/app/v1/payments", headers={"Accept-Language": "hi"}).json()

    assert hindi["title"] == "प्राप्तकर्ता का बैंक ऑफ़लाइन है"
    assert (hindi["code"], hindi["class"], hindi["retryable"]) == (
        "payee_bank_unavailable",
        "TD",
        True,
    )
    assert listed["data"][0]["failure"] == hindi
    assert see(asha, deal, "ta")["failure"]["title"] == "The payee's bank is offline"


def test_a_code_that_nobody_knows_promises_nothing(hand, asha):
    deal = ended(hand, asha, "FAILURE", "U30~Q0")

    failure = see(asha, deal, None)["failure"]

    assert (failure["upi_code"], failure["class"]) == ("U30~Q0", None)
    assert failure["title"] == "The debit failed"


def test_a_deemed_payment_is_shown_as_deemed_and_explained(hand, asha):
    deal = ended(hand, asha, "DEEMED", "RB")

    shown = see(asha, deal, "hi")

    assert (shown["status"], shown["finality"], shown["failure"]) == (
        "pending",
        "provisional",
        None,
    )
    assert (shown["deemed"]["code"], shown["deemed"]["upi_code"]) == ("deemed", "RB")
    assert shown["deemed"]["title"] == "भुगतान सफल माना गया है"
    assert shown["deemed"]["next_action"].startswith("दोबारा भुगतान न करें।")


def test_a_deemed_payment_is_shown_as_deemed_to_the_merchant_too(hand):
    shop = open_shop()
    deal = Deal(payer=ABROAD, payee=shop_side(hand, shop))
    hand.authorise(deal)
    drain(Role.PAYEE_PSP)

    assert hand.confirm(deal, "DEEMED", "RB").err == ""

    shown = shop.client.get("/v1/payments").json()["data"][0]
    assert (shown["status"], shown["failure"]) == ("pending", None)
    assert shown["deemed"]["code"] == "deemed"

    # That nobody has confirmed it in time changes nothing of that.
    Leg.objects.filter(role=Role.PAYEE_PSP).update(next_action_at="2000-01-01T00:00:00Z")
    drain(Role.PAYEE_PSP)
    assert state(deal, Role.PAYEE_PSP) == "UNKNOWN"
    assert shop.client.get("/v1/payments").json()["data"][0]["deemed"] is not None
