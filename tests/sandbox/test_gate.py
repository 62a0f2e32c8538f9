"""What the switch refuses, with which code, before anything happens."""

import pytest
from lxml import etree

from sandbox import clock
from tests.sandbox import spoken
from tests.sandbox.bank import Signer, new_id


def change(path: str, name: str, value: str):
    return lambda root: root.find(path).set(name, value)


def drop(path: str):
    def without(root):
        found = root.find(path)
        found.getparent().remove(found)

    return without


def another_payee(root):
    payees = root.find("Payees")
    payees.append(etree.fromstring(etree.tostring(payees[0])))


PAY_ROWS = [
    ("message id",      change("Head", "msgId", ""),                   "H06"),
    ("no offset",       change("Head", "ts", "2026-01-01T10:00:00"),   "H03"),
    ("no payer",        drop("Payer"),                                 "R01"),
    ("no payee",        drop("Payees/Payee"),                          "B02"),
    ("two payees",      another_payee,                                 "B09"),
    ("time",            change("Txn", "ts", "yesterday"),              "T06"),
    ("reference",       change("Txn", "custRef", "12345"),             "T12"),
    ("original",        change("Txn", "orgTxnId", "EXB1"),             "T10"),
    ("mode",            change("Txn", "initiationMode", "33"),         "IM0"),
    ("purpose",         change("Txn", "purpose", ""),                  "T14"),
    ("payer address",   change("Payer", "addr", "nobody"),             "R02"),
    ("payee address",   change("Payees/Payee", "addr", "a b@c"),       "B03"),
    ("no device",       drop("Payer/Device"),                          "D01"),
    ("no account",      drop("Payer/Ac"),                              "A06"),
    ("no PIN",          drop("Payer/Creds"),                           "C06"),
    ("no amount",       drop("Payer/Amount"),                          "V01"),
    ("zero",            change("Payer/Amount", "value", "0.00"),       "V03"),
    ("one decimal",     change("Payer/Amount", "value", "149.5"),      "V03"),
    ("dollars",         change("Payer/Amount", "curr", "USD"),         "M02"),
    ("other amount",    change("Payer/Amount", "value", "149.51"),     "M03"),
    ("not our payer",   change("Payer", "addr", "ravi@smplbank"),      "U55"),
    ("no such handle",  change("Payees/Payee", "addr", "a@nowhere"),   "U17"),
    ("no such bank",    change("Payer/Ac/Detail", "value", "XXXX0000001"), "U28"),
]  # fmt: skip


@pytest.mark.parametrize(("_case", "spoil", "code"), PAY_ROWS)
def test_a_payment_is_refused_with_the_code_of_its_fault(world, _case, spoil, code):
    request = spoken.pay_request(world.switch_key, "ravi@smplbank")
    txn_id = request.find("Txn").get("id")
    spoil(request)

    assert world.bank.post(request) == code

    assert world.control.get(f"/payments/{txn_id}").status_code == 404


def test_a_message_of_a_stranger_or_with_a_strange_key_is_refused(world):
    stranger = spoken.pay_request(world.switch_key, "ravi@smplbank")
    stranger.find("Head").set("orgId", "900009")
    forged = spoken.pay_request(world.switch_key, "ravi@smplbank")
    txn_id = forged.find("Txn").get("id")

    assert world.bank.post(stranger) == "U52"
    body = Signer().sign(forged)
    assert world.bank.post_bytes(body, api="ReqPay", txn_id=txn_id) == "U15"

    assert world.control.get(f"/payments/{txn_id}").status_code == 404


def test_a_changed_message_is_refused(world):
    request = spoken.pay_request(world.switch_key, "ravi@smplbank")
    txn_id = request.find("Txn").get("id")
    body = world.bank.signer.sign(request).replace(b"149.50", b"849.50")

    assert world.bank.post_bytes(body, api="ReqPay", txn_id=txn_id) == "U15"

    assert world.control.get(f"/payments/{txn_id}").status_code == 404


def test_the_address_of_a_message_must_be_its_own(world):
    request = spoken.pay_request(world.switch_key, "ravi@smplbank")
    txn_id = request.find("Txn").get("id")
    body = world.bank.signer.sign(request)

    assert world.bank.post_bytes(body, api="ReqPay", txn_id=new_id()) == "U06"
    assert world.bank.post_bytes(body, api="RespPay", txn_id=txn_id) == "U06"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no xml",
        b"<a/>",
        b'<!DOCTYPE a [<!ENTITY x "1">]><a>&x;</a>',
        b"<a><!-- hidden --></a>",
        b"<a><?run it?></a>",
        b"<a>" + b" " * 300_000 + b"</a>",
        "<a/>".encode("utf-16"),
    ],
)
def test_what_is_no_plain_message_is_refused(world, body):
    assert world.bank.post_bytes(body, api="ReqPay", txn_id=new_id()) == "U05"


MISMATCHES = [
    ("another amount",      {"amount": "1.00"},                 "U54"),
    ("another payee",       {"payee": "meera@smplbank"},        "U54"),
    ("another payer",       {"payer": "anil@exbank"},           "U54"),
    ("another device",      {"ID": "somebody-elses"},           "U66"),
    ("another number",      {"MOBILE": "919800000009"},         "U66"),
    ("another app",         {"APP": "com.example.other"},       "U66"),
]  # fmt: skip


@pytest.mark.parametrize(("_case", "bound", "code"), MISMATCHES)
def test_a_block_bound_to_something_else_moves_no_money(world, _case, bound, code):
    request = spoken.pay_request(world.switch_key, "ravi@smplbank")
    txn_id = request.find("Txn").get("id")
    true = {"txn_id": txn_id, "amount": "149.50", "payee": "ravi@smplbank"}
    block = spoken.device_block(world.switch_key, **(true | bound))
    request.find("Payer/Creds/Cred/Data").text = block

    assert world.bank.post(request) == ""

    assert world.ended(txn_id)["code"] == code
    assert "ReqPay:DEBIT" not in world.bank.kinds(txn_id)


def test_a_block_of_another_transaction_or_for_another_switch_moves_no_money(world):
    stolen = spoken.pay_request(world.switch_key, "ravi@smplbank", txn_id=new_id())
    other = spoken.pay_request(world.bank.issuer.public_key(), "ravi@smplbank")
    stolen_id, other_id = new_id(), other.find("Txn").get("id")
    stolen.find("Txn").set("id", stolen_id)

    assert world.bank.post(stolen) == world.bank.post(other) == ""

    assert world.ended(stolen_id)["code"] == "U54"
    assert world.ended(other_id)["code"] == "U14"


def test_a_payment_to_the_payers_own_account_is_refused(world):
    txn_id = world.send_pay("asha@exbank")

    assert world.ended(txn_id)["code"] == "U96"


ANSWERS = [
    ("no such result",   change("Resp", "result", "MAYBE"),           "E06"),
    ("no code",          change("Resp", "result", "FAILURE"),         "E04"),
    ("a code too many",  change("Resp", "errCode", "Z9"),             "E05"),
    ("no reference",     drop("Resp/Ref"),                            "E07"),
    ("no amount",        change("Resp/Ref", "settAmount", ""),        "E10"),
    ("another amount",   change("Resp/Ref", "settAmount", "149.51"),  "V06"),
    ("another leg",      change("Txn", "type", "CREDIT"),             "T17"),
]  # fmt: skip


@pytest.mark.parametrize(("_case", "spoil", "code"), ANSWERS)
def test_a_wrong_answer_is_refused_and_the_right_one_still_taken(world, _case, spoil, code):
    world.bank.answers = {("ReqPay", "DEBIT"): spoken.silent}
    txn_id = world.send_pay("ravi@smplbank")
    debit = world.bank.wait_for("ReqPay", txn_id, "DEBIT")
    wrong = spoken.leg_answer(debit)
    spoil(wrong)

    assert world.bank.post(wrong) == code

    assert world.bank.post(spoken.leg_answer(debit)) == ""
    assert world.ended(txn_id)["status"] == "SUCCESS"


RESOLUTIONS = [
    ("two payees",       another_payee,                                   "U56"),
    ("another address",  change("Payees/Payee", "addr", "x@exbank"),      "B08"),
    ("another amount",   change("Payees/Payee/Amount", "value", "1.00"),  "U57"),
    ("no account",       drop("Payees/Payee/Ac"),                         "A06"),
    ("a shop unnamed",   change("Payees/Payee", "type", "ENTITY"),        "PM0"),
]  # fmt: skip


@pytest.mark.parametrize(("_case", "spoil", "code"), RESOLUTIONS)
def test_a_wrong_resolution_is_refused(world, _case, spoil, code):
    world.bank.answers = {("ReqAuthDetails", "PAY"): spoken.silent}
    txn_id = world.order("shop@exbank")
    asked = world.bank.wait_for("ReqAuthDetails", txn_id)
    wrong = spoken.resolution(asked)
    spoil(wrong)

    assert world.bank.post(wrong) == code

    assert world.bank.post(spoken.resolution(asked)) == ""
    assert world.ended(txn_id)["status"] == "SUCCESS"


def test_the_time_of_a_message_may_have_milliseconds(world):
    request = spoken.pay_request(world.switch_key, "ravi@smplbank")
    request.find("Head").set("ts", clock.iso(clock.now()))

    assert world.bank.post(request) == ""

    assert world.ended(request.find("Txn").get("id"))["status"] == "SUCCESS"
