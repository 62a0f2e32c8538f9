"""Collects: a shop asks for money, and the payer agrees, declines or stays silent."""

import pytest

from tests.sandbox import spoken
from tests.sandbox.conftest import wait_until

CONSENT = ("ReqAuthDetails", "COLLECT")


def test_our_shop_collects_from_another_banks_customer(world):
    txn_id = world.send_collect("approve@sandbox")

    final = world.bank.wait_for("RespPay", txn_id)
    assert (final.type, final.get("Resp", "result")) == ("COLLECT", "SUCCESS")
    credit = world.bank.wait_for("ReqPay", txn_id, "CREDIT")
    assert credit.get("Txn", "subType") == "COLLECT"
    assert credit.get("Payees/Payee", "addr") == spoken.SHOP
    assert credit.root.find("Payees/Payee/Device") is None
    assert world.bank.kinds(txn_id) == ["ReqPay:CREDIT"]
    assert world.position(txn_id) == (0, 14950)
    assert world.position(txn_id, "900002") == (14950, 0)


ROWS = [
    ("declines",             "decline@sandbox",    "149.50", "U19~ZA", ""),
    ("declines as spam",     "decline.s0@sandbox", "149.50", "U19~S0", ""),
    ("is unknown",           "ghost@smplbank",     "149.50", "U19~ZH", ""),
    ("has no money",         "approve@sandbox",    "149.51", "U30~Z9", "Z9"),
    ("enters a wrong PIN",   "approve@sandbox",    "149.55", "U30~ZM", "ZM"),
    ("has a silent bank",    "approve@sandbox",    "149.68", "U67",    "UT"),
]  # fmt: skip


@pytest.mark.parametrize(("_case", "payer", "amount", "code", "raw_code"), ROWS)
def test_a_collect_fails_when_the_payer(world, _case, payer, amount, code, raw_code):
    txn_id = world.send_collect(payer, amount)
    if amount.endswith("68"):
        world.silence(txn_id, "DEBIT")

    shown = world.ended(txn_id)
    assert (shown["status"], shown["code"], shown["raw_code"]) == ("FAILURE", code, raw_code)
    assert world.bank.wait_for("RespPay", txn_id).get("Resp", "errCode") == code
    assert world.position(txn_id) == (0, 0)


def test_a_silent_payer_lets_it_expire_by_the_clock(world):
    txn_id = world.send_collect("silent@sandbox", minutes="30")
    assert world.control.get(f"/payments/{txn_id}").json()["status"] == "PENDING"

    world.control.post("/clock", json={"advance_seconds": 1800})

    assert world.ended(txn_id)["code"] == "U69"
    assert world.bank.wait_for("RespPay", txn_id).get("Resp", "errCode") == "U69"


@pytest.mark.parametrize(("action", "code"), [("approve", ""), ("decline", "U19~ZA")])
def test_another_banks_customer_answers_by_the_control_door(world, action, code):
    txn_id = world.send_collect("ravi@smplbank")
    answer = lambda: world.control.post(f"/collects/{txn_id}/answer", json={"action": action})  # noqa: E731

    wait_until(lambda: answer().status_code == 200)

    assert world.ended(txn_id)["code"] == code
    assert answer().status_code == 409


def test_another_banks_shop_collects_from_our_customer(world):
    world.bank.answers = {CONSENT: spoken.consent(world.switch_key)}

    txn_id = world.collect(expire_minutes=45, note="books")

    assert world.ended(txn_id)["status"] == "SUCCESS"
    asked = world.bank.wait_for("ReqAuthDetails", txn_id)
    assert asked.get("Txn/Rules/Rule", "value") == "45"
    assert asked.get("Payees/Payee", "addr") == "store1@smplbank"
    assert asked.root.find("Payees/Payee/Ac") is None
    assert asked.root.find("Payees/Payee/Merchant") is not None
    debit = world.bank.wait_for("ReqPay", txn_id, "DEBIT")
    assert debit.get("Txn", "subType") == "COLLECT"
    confirmed = world.bank.wait_for("ReqTxnConfirmation", txn_id)
    assert confirmed.get("TxnConfirmation", "type") == "COLLECT"
    assert world.position(txn_id) == (14950, 0)


BOTH = ["CREDIT", "REVERSAL"]
MAGIC_ROWS = [
    ("success@sandbox",       14950, ("SUCCESS", "",       "00"), [],         "SUCCESS"),
    ("deemed@sandbox",        14950, ("DEEMED",  "RB",     "RB"), BOTH,       "PENDING"),
    ("success@sandbox",       14991, ("DEEMED",  "RB",     "RB"), BOTH,       "PENDING"),
    ("reversal-fail@sandbox", 14950, ("DEEMED",  "RB",     "RB"), ["CREDIT"], "PENDING"),
    ("timeout@sandbox",       14950, ("FAILURE", "U68",    "BT"), ["CREDIT"], "FAILURE"),
    ("fail.xi@sandbox",       14950, ("FAILURE", "U31~XI", "XI"), [],         "FAILURE"),
    ("fail.u16@sandbox",      14950, ("FAILURE", "U16",    ""),   [],         "FAILURE"),
]  # fmt: skip


@pytest.mark.parametrize(("payee", "paise", "ending", "silent", "told"), MAGIC_ROWS)
def test_a_magic_shop_collects_and_behaves_as_it_is_named(
    world, payee, paise, ending, silent, told
):
    world.bank.answers = {CONSENT: spoken.consent(world.switch_key)}

    txn_id = world.collect(payee=payee, amount_paise=paise)

    world.silence(txn_id, *silent)
    shown = world.ended(txn_id)
    assert (shown["status"], shown["code"], shown["raw_code"]) == ending
    confirmation = world.bank.wait_for("ReqTxnConfirmation", txn_id)
    assert confirmation.get("TxnConfirmation", "orgStatus") == told
    assert world.position(txn_id) == (0 if told == "FAILURE" else paise, 0)


def test_a_magic_shop_that_means_nothing_collects_nothing(world):
    body = {"payer": spoken.PAYER, "amount_paise": 100, "payee": "nonsense@sandbox"}

    assert world.control.post("/collects", json=body).json()["code"] == "unknown_payee"


def test_our_customer_declines(world):
    world.bank.answers = {CONSENT: spoken.declines("ZA")}

    txn_id = world.collect()

    assert world.ended(txn_id)["code"] == "U19~ZA"
    assert world.bank.kinds(txn_id) == ["ReqAuthDetails:COLLECT"]


def test_our_silent_customer_is_told_that_it_expired_and_is_too_late_then(world):
    world.bank.answers = {CONSENT: spoken.silent}
    txn_id = world.collect(payee="store2@secondbank", expire_minutes=64800)
    asked = world.bank.wait_for("ReqAuthDetails", txn_id)

    world.control.post("/clock", json={"advance_seconds": 64800 * 60})

    assert world.ended(txn_id)["code"] == "U69"
    told = world.bank.wait_for("ReqTxnConfirmation", txn_id)
    assert told.get("TxnConfirmation", "orgErrCode") == "U69"
    assert world.bank.post(spoken.answer(asked, "ZA")) == "U70"


def test_a_consent_bound_to_another_amount_moves_no_money(world):
    world.bank.answers = {CONSENT: spoken.consent(world.switch_key, amount="1.00")}

    txn_id = world.collect()

    assert world.ended(txn_id)["code"] == "U54"
    assert world.position(txn_id) == (0, 0)


def test_a_collect_that_waits_is_asked_again_after_a_restart(world):
    world.bank.answers = {CONSENT: spoken.silent}
    txn_id = world.collect(expire_minutes=64800)
    world.bank.wait_for("ReqAuthDetails", txn_id)
    world.bank.answers = {CONSENT: spoken.consent(world.switch_key)}

    world.kill()
    world.start()

    assert world.ended(txn_id)["status"] == "SUCCESS"
    assert world.position(txn_id) == (14950, 0)


REFUSALS = [
    ("no expiry",          lambda root: root.find("Txn").remove(root.find("Txn/Rules")), "L04"),
    ("a shop elsewhere",   lambda root: root.find("Payees/Payee").set("addr", "x@smplbank"), "U55"),
    ("an unknown handle",  lambda root: root.find("Payer").set("addr", "x@nobank"), "U17"),
    ("a person who asks",  lambda root: as_person(root.find("Payees/Payee")), "U10"),
]  # fmt: skip


def as_person(payee) -> None:
    payee.set("type", "PERSON")
    payee.remove(payee.find("Merchant"))


@pytest.mark.parametrize(("_case", "change", "code"), REFUSALS)
def test_a_collect_is_refused_with(world, _case, change, code):
    request = spoken.collect_request("approve@sandbox")
    change(request)

    assert world.bank.post(request) == code

    txn_id = request.find("Txn").get("id")
    assert world.control.get(f"/payments/{txn_id}").status_code == 404
