"""Payments to an account number and a branch: the switch finds the bank itself."""

import pytest

from tests.sandbox import spoken

OURS = f"{spoken.STORE_ACCOUNT}@EXBK0000001.ifsc.npci"
ABROAD = "003333300001@secd0000003.ifsc.npci"


def test_our_customer_pays_to_an_account_of_another_bank(world):
    before = world.control.get("/book").json()["balances"]["003333300001"]

    txn_id = world.send_pay(ABROAD)

    shown = world.ended(txn_id)
    assert (shown["status"], shown["payee_psp"], shown["beneficiary"]) == ("SUCCESS", "", "900003")
    assert world.asked(txn_id)[:2] == ["DEBIT", "CREDIT"]
    debit = world.bank.wait_for("ReqPay", txn_id, "DEBIT")
    details = {each.get("name"): each.get("value")
               for each in debit.root.iterfind("Payees/Payee/Ac/Detail")}  # fmt: skip
    assert details == {"IFSC": "SECD0000003", "ACTYPE": "DEFAULT", "ACNUM": "003333300001"}
    assert world.bank.wait_for("RespPay", txn_id).get("Resp", "result") == "SUCCESS"
    assert world.control.get("/book").json()["balances"]["003333300001"] == before + 14950
    assert world.position(txn_id) == (14950, 0)


def test_another_banks_customer_pays_to_an_account_of_ours(world):
    txn_id = world.order(OURS)

    assert world.ended(txn_id)["status"] == "SUCCESS"
    credit = world.bank.wait_for("ReqPay", txn_id, "CREDIT")
    assert credit.get("Payees/Payee", "addr") == OURS
    assert world.bank.kinds(txn_id) == ["ReqPay:CREDIT"]
    assert world.position(txn_id) == (0, 14950)


def test_an_account_that_is_not_there_gives_the_money_back(world):
    txn_id = world.send_pay("123@SMPL0000002.ifsc.npci")

    assert world.ended(txn_id)["code"] == "U31~XI"
    assert world.position(txn_id) == (0, 0)


ROWS = [
    ("an unknown bank",    "123@ABCD0000001.ifsc.npci",  "U29"),
    ("no branch",          "123@EXBK.ifsc.npci",         "U17"),
    ("an Aadhaar number",  "123456789012@aadhaar.npci",  "U95"),
    ("one at a bank",      "123456789012@508534.iin.npci", "U95"),
    ("a mobile number",    "9800000001@mobile.npci",     "A13"),
    ("one with an MMID",   "9800000001@1234567.mmid.npci", "A13"),
    ("a card",             "6071230000000001@rupay.npci", "A14"),
]  # fmt: skip


@pytest.mark.parametrize(("_case", "payee", "code"), ROWS)
def test_a_payment_is_refused_that_goes_to(world, _case, payee, code):
    assert world.bank.post(spoken.pay_request(world.switch_key, payee)) == code


def test_nobody_collects_from_an_account(world):
    assert world.bank.post(spoken.collect_request(ABROAD)) == "U17"
