"""Payments without trouble: from our bank, to our bank, and within it."""

from sandbox import credentials
from tests.sandbox import spoken


def test_a_payment_to_the_other_bank_goes_through_every_step(world):
    txn_id = world.send_pay("ravi@smplbank")

    final = world.bank.wait_for("RespPay", txn_id)
    assert final.get("Resp", "result") == "SUCCESS"
    assert [ref.get("respCode") for ref in final.root.iterfind("Resp/Ref")] == ["00", "00"]
    assert [ref.get("type") for ref in final.root.iterfind("Resp/Ref")] == ["PAYER", "PAYEE"]
    assert world.bank.kinds(txn_id) == ["ReqPay:DEBIT"]
    assert world.position(txn_id) == (14950, 0)
    assert world.position(txn_id, "900002") == (0, 14950)


def test_a_payment_within_our_bank_travels_whole(world):
    txn_id = world.send_pay("shop@exbank")

    world.bank.wait_for("ReqTxnConfirmation", txn_id)
    assert world.bank.wait_for("RespPay", txn_id).get("Resp", "result") == "SUCCESS"
    assert world.bank.kinds(txn_id) == [
        "ReqAuthDetails:PAY",
        "ReqPay:DEBIT",
        "ReqPay:CREDIT",
        "ReqTxnConfirmation:TxnConfirmation",
    ]
    assert world.position(txn_id) == (14950, 14950)


def test_a_payment_from_the_other_bank_is_credited_and_confirmed(world):
    before = world.control.get("/book").json()["balances"]["009876500001"]

    txn_id = world.order("shop@exbank", ref_id="ORD1", note="books")

    assert world.ended(txn_id)["status"] == "SUCCESS"
    credit = world.bank.wait_for("ReqPay", txn_id, "CREDIT")
    assert credit.get("Txn", "refId") == "ORD1"
    assert credit.root.find("Payer/Creds") is None
    assert credit.root.find("Payer/Device") is None
    confirmation = world.bank.wait_for("ReqTxnConfirmation", txn_id)
    assert confirmation.get("TxnConfirmation", "orgStatus") == "SUCCESS"
    assert world.control.get("/book").json()["balances"]["009876500001"] == before - 14950
    assert world.position(txn_id) == (0, 14950)


def test_the_issuer_receives_a_block_of_its_own_that_it_can_check(world):
    txn_id = world.send_pay("ravi@smplbank")

    debit = world.bank.wait_for("ReqPay", txn_id, "DEBIT")
    data = debit.root.find("Payer/Creds/Cred/Data")
    binding = credentials.IssuerBinding(
        "ReqPay", "DEBIT", txn_id, "149.50", spoken.PAYER, "ravi@smplbank"
    )
    known = {"binding": binding, "bank_code": "EXB", "account": spoken.ACCOUNT}
    known["issuer_key"] = world.bank.issuer
    assert data.get("ki") == "20261101"
    assert credentials.check_issuer_block(data.text, spoken.PIN, **known)
    assert not credentials.check_issuer_block(data.text, "4827", **known)
    assert world.ended(txn_id)["status"] == "SUCCESS"


def test_the_other_banks_customer_with_a_wrong_pin_is_declined(world):
    txn_id = world.order("shop@exbank", wrong_pin=True)

    assert (shown := world.ended(txn_id))["status"] == "FAILURE"
    assert (shown["code"], shown["raw_code"]) == ("U30~ZM", "ZM")
    assert world.position(txn_id) == (0, 0)


def test_the_other_banks_customer_without_money_is_declined(world):
    txn_id = world.order("shop@exbank", payer="broke@smplbank")

    assert (shown := world.ended(txn_id))["code"] == "U30~Z9"
    assert shown["raw_code"] == "Z9"


def test_a_purchase_at_the_other_banks_shop_shows_the_merchant(world):
    txn_id = world.send_pay("store1@smplbank")

    assert world.ended(txn_id)["status"] == "SUCCESS"
    payee = world.bank.wait_for("ReqPay", txn_id, "DEBIT").root.find("Payees/Payee")
    assert payee.get("type") == "ENTITY"
    assert payee.find("Merchant/Ownership") is not None
