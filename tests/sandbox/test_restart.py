"""A switch that is killed goes on from its journal: nobody is paid twice, nothing is left open."""

import pytest

from tests.sandbox import spoken
from tests.sandbox.conftest import wait_until

ROWS = [
    ("while resolving",    ("ReqAuthDetails", "PAY"), spoken.silent,             "U20", "", []),
    ("while debiting",     ("ReqPay", "DEBIT"),       spoken.posted_then_silent, "U67", "UT",
        ["ReqPay:REVERSAL(DEBIT)"]),
    ("while crediting",    ("ReqPay", "CREDIT"),      spoken.silent,             "U68", "BT",
        ["ReqPay:REVERSAL(CREDIT)", "ReqPay:REVERSAL(DEBIT)"]),
    ("though credited",    ("ReqPay", "CREDIT"),      spoken.posted_then_silent, "",    "00",
        ["ReqPay:REVERSAL(CREDIT)"]),
]  # fmt: skip


@pytest.mark.parametrize(("_case", "leg", "answer", "code", "raw_code", "ways_back"), ROWS)
def test_a_payment_cut_short_is_ended(world, _case, leg, answer, code, raw_code, ways_back):
    world.bank.answers = {leg: answer}
    txn_id = world.send_pay("shop@exbank")
    world.bank.wait_for(leg[0], txn_id, leg[1])

    world.kill()
    world.start()

    shown = world.ended(txn_id)
    assert (shown["code"], shown["raw_code"]) == (code, raw_code)
    assert [kind for kind in world.bank.kinds(txn_id) if "REVERSAL" in kind] == ways_back
    assert world.bank.wait_for("RespPay", txn_id).get("Resp", "errCode") == code


def test_a_reversal_cut_short_is_asked_for_again(world):
    world.bank.answers = {
        ("ReqPay", "CREDIT"): spoken.declines("XI"),
        ("ReqPay", "REVERSAL"): spoken.silent,
    }
    txn_id = world.send_pay("shop@exbank")
    world.bank.wait_for("ReqPay", txn_id, "REVERSAL")
    world.bank.answers = {}

    world.kill()
    world.start()

    assert (shown := world.ended(txn_id))["code"] == "U31~XI"
    assert shown["raw_code"] == "XI"
    assert txn_id in world.bank.reversed


def test_an_end_that_nobody_heard_of_is_told_after_the_restart(world):
    world.fault("unreachable", "out", api="RespPay", type="PAY", count=9)
    txn_id = world.send_pay("ravi@smplbank")
    assert world.ended(txn_id)["status"] == "SUCCESS"

    world.kill()
    world.start()

    assert world.bank.wait_for("RespPay", txn_id).get("Resp", "result") == "SUCCESS"


def test_what_was_accepted_before_the_kill_is_still_known(world):
    request = spoken.pay_request(world.switch_key, "ravi@smplbank")
    txn_id = request.find("Txn").get("id")
    body = world.bank.signer.sign(request)
    assert world.bank.post_bytes(body, api="ReqPay", txn_id=txn_id) == ""
    world.ended(txn_id)
    world.bank.wait_for("RespPay", txn_id)
    wait_until(lambda: world.control.get(f"/payments/{txn_id}").json()["stage"] == "DONE")

    world.kill()
    world.start()

    assert world.bank.post_bytes(body, api="ReqPay", txn_id=txn_id) == ""
    again = spoken.pay_request(world.switch_key, "ravi@smplbank", txn_id=txn_id)
    assert world.bank.post(again) == "U01"
    assert world.bank.posted["DEBIT", txn_id] == 1
    debit = world.bank.wait_for("ReqPay", txn_id, "DEBIT")
    assert world.bank.post(spoken.leg_answer(debit, "Z9")) == "U70"
    assert world.ended(txn_id)["status"] == "SUCCESS"


def test_the_keys_stay_the_same(world):
    before = (world.keys / "NPCI.signing.pem").read_bytes()

    world.kill()
    world.start()

    assert (world.keys / "NPCI.signing.pem").read_bytes() == before
    assert world.ended(world.send_pay("ravi@smplbank"))["status"] == "SUCCESS"


def test_the_journal_holds_no_credential_block(world):
    request = spoken.pay_request(world.switch_key, "ravi@smplbank")
    block = request.findtext("Payer/Creds/Cred/Data")
    assert world.bank.post(request) == ""
    txn_id = request.find("Txn").get("id")
    world.ended(txn_id)
    debit = world.bank.wait_for("ReqPay", txn_id, "DEBIT")

    written = b"".join(file.read_bytes() for file in world.data.iterdir())

    for secret in (block, debit.root.findtext("Payer/Creds/Cred/Data")):
        assert secret.partition("|")[2].encode() not in written
