"""The payee's PSP: who our addresses are, and how a payment to them ended (payments.md 2, 9)."""

from dataclasses import replace

import pytest

from apps.common.money import Money
from apps.messaging.models import OutboxEvent
from apps.payments.models import Contradiction, Leg, Refund
from apps.payments.open_items import ItemKind, open_items
from apps.payments.states import Role
from tests.api.people import open_shop
from tests.bank_host import held, posted
from tests.payments.hand import Deal, Side, drain, history, leg, state
from tests.payments.payer import enrol_payee, enrol_payer, shop_side

ABROAD = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")


@pytest.fixture
def inward(hand):
    return Deal(payer=ABROAD, payee=enrol_payee(hand))


def due():
    Leg.objects.filter(next_action_at__isnull=False).update(next_action_at="2000-01-01T00:00:00Z")


def test_an_address_is_answered_with_account_and_verified_name(hand, inward):
    asked = hand.authorise(inward)

    drain(Role.PAYEE_PSP)

    assert asked.code == "00"
    (answer,) = hand.answers(asked)
    payee = answer.find("Payees/Payee")
    assert payee.get("addr") == "ravi@exbank"
    assert payee.find("Info/Identity").get("verifiedName") == "RAVI IYER"
    details = {detail.get("name"): detail.get("value") for detail in payee.findall("Ac/Detail")}
    assert details["ACNUM"] == inward.payee.number
    assert payee.find("Amount").get("value") == "149.50"
    assert answer.find("Payer").get("addr") == ABROAD.address
    assert history(inward, Role.PAYEE_PSP) == ["RECEIVED", "AUTHORISED"]


def test_a_merchant_is_answered_with_its_block(hand):
    deal = Deal(payer=ABROAD, payee=shop_side(hand, open_shop()))

    asked = hand.authorise(deal)
    drain(Role.PAYEE_PSP)

    payee = hand.answers(asked)[0].find("Payees/Payee")
    assert (payee.get("type"), payee.get("code")) == ("ENTITY", "5942")
    assert payee.find("Merchant/Identifier").get("subCode") == "5942"


def test_an_unknown_address_is_refused(hand):
    deal = Deal(payer=ABROAD, payee=Side(address="nobody@exbank", number="1"))

    asked = hand.authorise(deal)
    drain(Role.PAYEE_PSP)

    assert asked.code == "ZH"
    assert history(deal, Role.PAYEE_PSP) == ["RECEIVED", "REFUSED"]


def test_paying_ones_own_account_is_refused(hand):
    asha = enrol_payer(hand)
    deal = asha.pay(asha.side)

    asked = hand.authorise(deal)
    drain(Role.PAYEE_PSP)

    assert asked.code == "RA"


@pytest.mark.parametrize(
    ("status", "code", "target"),
    [("SUCCESS", "", "CONFIRMED"), ("FAILURE", "U30~Z9", "FAILED"), ("PENDING", "", "AUTHORISED")],
)
def test_a_confirmation_ends_it_and_is_answered(hand, inward, status, code, target):
    hand.authorise(inward)
    drain(Role.PAYEE_PSP)

    told = hand.confirm(inward, status, code)
    drain()

    assert told.err == ""
    assert told.code == "00"
    assert state(inward, Role.PAYEE_PSP) == target
    assert leg(inward, Role.PAYEE_PSP).code == code


def test_a_confirmation_of_what_we_never_saw_is_refused(hand, inward):
    assert hand.confirm(inward).err == "U48"
    assert not Leg.objects.exists()


@pytest.mark.parametrize(
    ("change", "code"), [({"paise": 1}, "U12"), ({"rrn": "632799999999"}, "U07")]
)
def test_a_confirmation_of_another_payment_is_refused(hand, inward, change, code):
    hand.authorise(inward)
    drain(Role.PAYEE_PSP)

    assert hand.confirm(replace(inward, **change)).err == code
    assert state(inward, Role.PAYEE_PSP) == "AUTHORISED"


def test_a_success_without_our_authorisation_is_refused(hand, inward):
    hand.authorise(inward)

    assert hand.confirm(inward).err == "U21"
    assert state(inward, Role.PAYEE_PSP) == "RECEIVED"


def test_a_failure_before_our_answer_ends_the_question(hand, inward):
    hand.authorise(inward)

    assert hand.confirm(inward, "FAILURE", "U20").err == ""

    assert history(inward, Role.PAYEE_PSP) == ["RECEIVED", "REFUSED"]


def test_the_first_confirmation_stands(hand, inward):
    hand.authorise(inward)
    drain(Role.PAYEE_PSP)
    hand.confirm(inward, "FAILURE", "U30~Z9")
    hand.switch.plan = ["silent"]
    leg_of = leg(inward, Role.PAYEE_PSP)

    assert leg_of.state == "FAILED"
    assert hand.confirm(inward).err == "U01"
    assert state(inward, Role.PAYEE_PSP) == "FAILED"


def test_an_unconfirmed_payment_is_asked_about_after_ninety_seconds(hand, inward, settings):
    hand.authorise(inward)
    drain(Role.PAYEE_PSP)
    found = leg(inward, Role.PAYEE_PSP)
    assert (found.next_action_at - found.changed_at).total_seconds() == pytest.approx(90, abs=1)

    due()
    drain(Role.PAYEE_PSP)

    assert history(inward, Role.PAYEE_PSP) == ["RECEIVED", "AUTHORISED", "UNKNOWN"]
    (check,) = hand.posted("ReqChkTxn")
    assert check.find("Txn").get("initiatedBy") == "PAYEE"
    assert [item.role for item in open_items(ItemKind.UNKNOWN)] == ["PAYEE_PSP"]


@pytest.mark.parametrize(
    ("result", "code", "target"),
    [
        ("SUCCESS", "", "CONFIRMED"),
        ("FAILURE", "U30~Z9", "FAILED"),
        ("FAILURE", "U48", "UNKNOWN"),
        ("DEEMED", "RB", "UNKNOWN"),
    ],
)
def test_the_check_of_a_payee_ends_it_only_by_proof(hand, inward, result, code, target):
    hand.authorise(inward)
    drain(Role.PAYEE_PSP)
    due()
    drain(Role.PAYEE_PSP)

    assert hand.answer_check(inward, result, code).err == ""

    assert state(inward, Role.PAYEE_PSP) == target


@pytest.fixture
def sale(hand):
    shop = open_shop()
    order = shop.order(amount=14950).json()
    side = shop_side(hand, shop)
    deal = Deal(payer=ABROAD, payee=side, reference=order["reference"])
    hand.shop = shop
    return deal


def order_of(hand, deal):
    (order,) = [
        row
        for row in hand.shop.client.get("/v1/orders").json()["data"]
        if row["reference"] == deal.reference
    ]
    return order


def paid_events():
    return OutboxEvent.objects.filter(type="merchants.order.paid").count()


def test_an_order_is_paid_when_its_money_is_credited(hand, sale):
    hand.authorise(sale)
    drain(Role.PAYEE_PSP)
    hand.credit(sale)
    drain(Role.CREDIT)

    assert order_of(hand, sale)["status"] == "paid"
    assert order_of(hand, sale)["upi"] == {"txn_id": sale.id, "rrn": sale.rrn}

    hand.confirm(sale)
    assert paid_events() == 1
    assert not Refund.objects.exists()


def test_money_for_an_address_of_ours_never_reaches_another_account(hand, sale):
    other = hand.plain_account("001234567888")
    hand.authorise(sale)
    drain(Role.PAYEE_PSP)

    misdirected = replace(sale, payee=replace(sale.payee, number=other.number))
    sent = hand.credit(misdirected)
    drain(Role.CREDIT)

    assert sent.code == "B6"
    assert order_of(hand, sale)["status"] == "created"
    assert paid_events() == 0


def to_account(deal: Deal, *, number: str = "", ifsc: str = "") -> Deal:
    """Address the payee by account and branch."""
    payee = deal.payee
    address = f"{number or payee.number}@{ifsc or payee.ifsc}.ifsc.npci"
    return replace(deal, payee=replace(payee, address=address))


def test_money_for_an_account_and_its_branch_is_credited_and_nobody_is_asked(hand, inward):
    deal = to_account(inward)
    sent = hand.credit(deal)
    drain(Role.CREDIT)

    assert sent.code == "00"
    assert history(deal, Role.CREDIT) == ["RECEIVED", *posted()]
    assert held(deal.payee.number) == deal.amount
    assert not Leg.objects.filter(transaction_id=deal.id, role=Role.PAYEE_PSP).exists()
    (event,) = OutboxEvent.objects.filter(type="payments.credit.posted")
    assert event.data["payee_address"] == "XXXXXXXX7899@exbk0000001.ifsc.npci"


@pytest.mark.parametrize("named", [{"number": "001234567888"}, {"ifsc": "EXBK0000009"}])
def test_money_for_an_account_never_reaches_another_one(hand, inward, named):
    sent = hand.credit(to_account(inward, **named))
    drain(Role.CREDIT)

    assert sent.code == "B6"
    assert held(inward.payee.number) == Money(0)


def test_money_for_another_banks_account_never_reaches_one_of_ours_of_that_number(hand, inward):
    sent = hand.credit(replace(inward, payee=replace(inward.payee, ifsc="SMPL0000002")))
    drain(Role.CREDIT)

    assert sent.code == "XI"
    assert state(inward, Role.CREDIT) == "DECLINED"
    assert held(inward.payee.number) == Money(0)


def test_an_order_is_paid_by_the_confirmation_when_that_comes_first(hand, sale):
    hand.authorise(sale)
    drain(Role.PAYEE_PSP)

    hand.confirm(sale)
    assert order_of(hand, sale)["status"] == "paid"

    hand.credit(sale)
    drain(Role.CREDIT)
    assert paid_events() == 1
    assert not Refund.objects.exists()


def test_a_second_payment_of_an_order_opens_its_refund(hand, sale):
    again = Deal(payer=ABROAD, payee=sale.payee, reference=sale.reference)
    for deal in (sale, again):
        hand.credit(deal)
    drain(Role.CREDIT)

    refund = Refund.objects.get()
    assert refund.transaction_id in {sale.id, again.id}
    assert (refund.amount, refund.reason, refund.state) == (sale.amount, "DUPLICATE", "OPENED")
    assert [item.kind for item in open_items(ItemKind.REFUND_OWED)] == ["REFUND_OWED"]
    assert paid_events() == 1

    for deal in (sale, again):
        hand.authorise(deal)
        drain(Role.PAYEE_PSP)
        hand.confirm(deal)
    assert Refund.objects.count() == 1


def test_a_merchant_sees_its_payments_and_nobody_elses(hand, sale):
    hand.authorise(sale)
    drain(Role.PAYEE_PSP)
    hand.credit(sale)
    drain(Role.CREDIT)
    hand.confirm(sale)

    (shown,) = hand.shop.client.get("/v1/payments").json()["data"]

    assert (shown["status"], shown["finality"], shown["amount"]) == ("succeeded", "final", 14950)
    assert shown["order"] == order_of(hand, sale)["id"]
    assert shown["upi"]["payer_vpa"] == "ra***@smplbank"
    assert shown["upi"]["rrn"] == sale.rrn
    one = hand.shop.client.get(f"/v1/payments/{shown['id']}")
    assert one.json() == shown

    other = open_shop("Other Shop")
    assert other.client.get("/v1/payments").json()["data"] == []
    assert other.client.get(f"/v1/payments/{shown['id']}").status_code == 404
    assert not Contradiction.objects.exists()
