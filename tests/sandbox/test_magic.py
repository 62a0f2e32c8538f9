"""Magic payees: addresses that behave as they are named."""

import pytest

from sandbox import magic
from tests.sandbox.conftest import wait_until

TOLD_TO_UNDO = ["CREDIT", "REVERSAL"]
ROWS = [
    ("success@sandbox",       "SUCCESS", "",       "00", []),
    ("fail.xi@sandbox",       "FAILURE", "U31~XI", "XI", []),
    ("fail.z9@sandbox",       "FAILURE", "U31~Z9", "Z9", []),
    ("fail.zh@sandbox",       "FAILURE", "U19~ZH", "",   []),
    ("fail.u30@sandbox",      "FAILURE", "U30",    "",   []),
    ("timeout@sandbox",       "FAILURE", "U68",    "BT", ["CREDIT"]),
    ("deemed@sandbox",        "DEEMED",  "RB",     "RB", TOLD_TO_UNDO),
    ("reversal-fail@sandbox", "DEEMED",  "RB",     "RB", ["CREDIT"]),
    ("duplicate@sandbox",     "SUCCESS", "",       "00", []),
    ("slow.200@sandbox",      "SUCCESS", "",       "00", []),
    ("slow.20000@sandbox",    "SUCCESS", "",       "00", ["CREDIT"]),
    ("nonsense@sandbox",      "FAILURE", "U19~ZH", "",   []),
    ("ghost@smplbank",        "FAILURE", "U19~ZH", "",   []),
]  # fmt: skip


@pytest.mark.parametrize(("payee", "status", "code", "raw_code", "silent"), ROWS)
def test_a_magic_payee_behaves_as_it_is_named(world, payee, status, code, raw_code, silent):
    txn_id = world.send_pay(payee)

    world.silence(txn_id, *silent)

    shown = world.ended(txn_id)
    assert (shown["status"], shown["code"], shown["raw_code"]) == (status, code, raw_code)
    assert world.bank.wait_for("RespPay", txn_id).get("Resp", "errCode") == code
    assert world.position(txn_id)[0] == (0 if status == "FAILURE" else 14950)


LATE = [("late-success.20@sandbox", "SUCCESS", ""), ("late-fail.20@sandbox", "FAILURE", "U31~XI")]


@pytest.mark.parametrize(("payee", "status", "code"), LATE)
def test_the_switch_keeps_its_verdict_to_itself_for_so_long(world, payee, status, code):
    txn_id = world.send_pay(payee)
    if status == "FAILURE":
        world.bank.wait_for("ReqPay", txn_id, "REVERSAL")
    wait_until(lambda: answered(world, txn_id))
    assert world.control.get(f"/payments/{txn_id}").json()["status"] == "PENDING"

    world.advance(20)

    shown = world.ended(txn_id)
    assert (shown["status"], shown["code"]) == (status, code)


def answered(world, txn_id: str) -> bool:
    """Say whether the last leg of a payment is answered."""
    last = "REVERSAL" if "REVERSAL" in world.asked(txn_id) else "CREDIT"
    return world.messages(txn_id, "in", "RespPay", last) != []


def test_duplicate_tells_the_payers_bank_twice_under_two_message_ids(world):
    txn_id = world.send_pay("duplicate@sandbox")

    told = lambda: [m for m in world.bank.heard if m.api == "RespPay" and m.txn_id == txn_id]  # noqa: E731
    wait_until(lambda: len(told()) == 2)
    assert len({message.message_id for message in told()}) == 2
    assert {message.get("Resp", "reqMsgId") for message in told()} == {
        told()[0].get("Resp", "reqMsgId")
    }


@pytest.mark.parametrize(
    "name", ["fail.", "fail.a-b", "slow.x", "slow.9999999", "late-fail.9999", "slow", ""]
)
def test_a_name_that_says_nothing_is_no_behaviour(name):
    assert magic.behaviour(f"{name}@sandbox") is None
