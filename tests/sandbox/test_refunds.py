"""Refunds: money that a shop gives back, never more than it received."""

import pytest

from tests.sandbox import spoken


@pytest.fixture
def received(world) -> str:
    """Return a payment of ravi@smplbank to our shop."""
    txn_id = world.order("shop@exbank")
    assert world.ended(txn_id)["status"] == "SUCCESS"
    return txn_id


def send(world, original: str, amount: str, **changes) -> str:
    request = spoken.refund_request(original, "ravi@smplbank", amount, **changes)
    assert world.bank.post(request) == ""
    return request.find("Txn").get("id")


def test_our_shop_gives_a_part_back(world, received):
    before = world.control.get("/book").json()["balances"]["009876500001"]

    txn_id = send(world, received, "49.50")

    final = world.bank.wait_for("RespPay", received, "REFUND")
    assert final.get("Resp", "result") == "SUCCESS"
    assert final.get("Txn", "orgTxnId") == received
    debit = world.bank.wait_for("ReqPay", txn_id, "DEBIT")
    assert (debit.get("Txn", "subType"), debit.get("Txn", "orgTxnId")) == ("REFUND", "")
    assert debit.get("Payer/Creds/Cred", "type") == "PreApproved"
    assert world.control.get("/book").json()["balances"]["009876500001"] == before + 4950
    assert world.position(txn_id) == (4950, 0)
    shown = world.control.get(f"/payments/{txn_id}").json()
    assert (shown["kind"], shown["original_id"]) == ("REFUND", received)


def test_no_more_is_given_back_than_was_paid(world, received):
    parts = [send(world, received, amount) for amount in ("100.00", "49.50", "0.01")]

    assert [world.ended(txn_id)["code"] for txn_id in parts] == ["", "", "U57"]


def test_a_refund_that_failed_may_be_asked_for_again(world, received):
    world.bank.answers = {("ReqPay", "DEBIT"): spoken.declines("Z9")}
    assert world.ended(send(world, received, "149.50"))["code"] == "U30~Z9"
    world.bank.answers = {}

    assert world.ended(send(world, received, "149.50"))["status"] == "SUCCESS"


def test_a_refund_of_nothing_known_fails(world):
    assert world.ended(send(world, f"EXB{'0' * 32}", "1.00"))["code"] == "U51"


def test_a_refund_of_a_failed_payment_fails(world):
    failed = world.order("shop@exbank", payer="broke@smplbank")
    assert world.ended(failed)["status"] == "FAILURE"

    assert world.ended(send(world, failed, "1.00"))["code"] == "U39"


def test_a_refund_to_someone_else_fails(world, received):
    request = spoken.refund_request(received, "meera@smplbank", "1.00")
    assert world.bank.post(request) == ""

    assert world.ended(request.find("Txn").get("id"))["code"] == "U59"


def test_a_refund_after_ninety_days_fails(world, received):
    world.control.post("/clock", json={"advance_seconds": 91 * 86400})

    assert world.ended(send(world, received, "1.00"))["code"] == "U51"


def test_a_refund_without_the_banks_approval_is_refused(world, received):
    request = spoken.refund_request(received, "ravi@smplbank", "1.00")
    request.find("Payer").remove(request.find("Payer/Creds"))

    assert world.bank.post(request) == "C08"


def test_another_banks_shop_gives_our_customer_his_money_back(world):
    paid = world.send_pay("store1@smplbank")
    assert world.ended(paid)["status"] == "SUCCESS"

    refund = world.control.post("/refunds", json={"txn_id": paid, "amount_paise": 950})

    txn_id = refund.json()["txn_id"]
    assert world.ended(txn_id)["status"] == "SUCCESS"
    credit = world.bank.wait_for("ReqPay", txn_id, "CREDIT")
    assert credit.get("Txn", "subType") == "REFUND"
    assert credit.get("Payees/Payee", "addr") == spoken.PAYER
    told = world.bank.wait_for("ReqTxnConfirmation", txn_id)
    assert told.get("TxnConfirmation", "type") == "REFUND"
    assert world.position(txn_id) == (0, 950)


def test_what_was_given_back_is_not_given_back_again(world):
    paid = world.send_pay("store2@secondbank", "1.00")
    assert world.ended(paid)["status"] == "SUCCESS"
    for _ in range(2):
        last = world.control.post("/refunds", json={"txn_id": paid}).json()["txn_id"]
        shown = world.ended(last)

    assert (shown["status"], shown["code"]) == ("FAILURE", "U57")
