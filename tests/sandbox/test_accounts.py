"""OTP, PIN and balance: the switch passes them to the issuer and the answers back."""

import pytest

from sandbox import credentials
from tests.sandbox import spoken
from tests.sandbox.bank import new_id
from tests.sandbox.spoken import el


def details(*blocks):
    found = (("MOBILE", "919800000001"), ("CARDDIGITS", "123456"), ("EXPDATE", "1227"))
    made = el("RegDetails", {"type": "FORMAT1"})
    made.extend(el("Detail", {"name": name, "value": value}) for name, value in found)
    if blocks:
        made.append(spoken.creds(*blocks))
    return made


def block(world, txn_id, secret=spoken.PIN, **bound):
    return spoken.device_block(
        world.switch_key, txn_id=txn_id, amount="", payee="", pin=secret, **bound
    )


def is_right(world, data, secret, *, api, kind, txn_id):
    return credentials.check_issuer_block(
        data.text,
        secret,
        binding=credentials.IssuerBinding(api, kind, txn_id, "", spoken.PAYER, ""),
        bank_code="EXB",
        account=spoken.ACCOUNT,
        issuer_key=world.bank.issuer,
    )


def test_an_otp_is_asked_for_and_the_answer_comes_back(world):
    txn_id = new_id()
    request = spoken.account_request(
        "ReqOtp", "Otp", spoken.payer_party(), details(), txn_id=txn_id
    )

    assert world.bank.post(request) == ""

    relayed = world.bank.wait_for("ReqOtp", txn_id)
    assert relayed.get("Head", "orgId") == "NPCI"
    assert relayed.get("RegDetails", "type") == "FORMAT1"
    answer = world.bank.wait_for("RespOtp", txn_id)
    assert answer.get("Resp", "reqMsgId") == request.find("Head").get("msgId")
    assert answer.get("Resp", "result") == "SUCCESS"


def test_a_registration_brings_the_issuer_both_secrets_under_its_own_key(world):
    txn_id = new_id()
    blocks = (
        ("OTP", "SMS", block(world, txn_id, "654321")),
        ("PIN", "MPIN", block(world, txn_id, "1122")),
    )
    request = spoken.account_request(
        "ReqRegMob", "ReqRegMob", spoken.payer_party(), details(*blocks), txn_id=txn_id
    )

    assert world.bank.post(request) == ""

    relayed = world.bank.wait_for("ReqRegMob", txn_id)
    otp, pin = relayed.root.iterfind("RegDetails/Creds/Cred/Data")
    named = {"api": "ReqRegMob", "kind": "ReqRegMob", "txn_id": txn_id}
    assert is_right(world, otp, "654321", **named)
    assert is_right(world, pin, "1122", **named)
    assert world.bank.wait_for("RespRegMob", txn_id).get("Resp", "result") == "SUCCESS"


def test_a_change_brings_the_issuer_the_old_and_the_new_pin(world):
    txn_id = new_id()
    payer = spoken.payer_party(block(world, txn_id, "1122"))
    new = spoken.creds(("PIN", "MPIN", block(world, txn_id, "3344")))
    new.tag = "NewCred"
    payer.append(new)
    request = spoken.account_request("ReqSetCre", "SetCre", payer, txn_id=txn_id)

    assert world.bank.post(request) == ""

    relayed = world.bank.wait_for("ReqSetCre", txn_id)
    named = {"api": "ReqSetCre", "kind": "SetCre", "txn_id": txn_id}
    assert is_right(world, relayed.root.find("Payer/Creds/Cred/Data"), "1122", **named)
    assert is_right(world, relayed.root.find("Payer/NewCred/Cred/Data"), "3344", **named)


def test_a_balance_comes_back_with_the_answer(world):
    def with_balance(_bank, request):
        data = el("Data", {"code": "NPCI", "ki": "20261101"})
        data.text = "MTIzNDUuNjc="
        payer = el("Payer", {"addr": spoken.PAYER}, el("Bal", None, data))
        return spoken.answer(request, "", payer)

    world.bank.answers = {("ReqBalEnq", "BalEnq"): with_balance}
    txn_id = new_id()
    payer = spoken.payer_party(block(world, txn_id))

    assert world.bank.post(
        spoken.account_request("ReqBalEnq", "BalEnq", payer, txn_id=txn_id)
    ) == ""  # fmt: skip

    answer = world.bank.wait_for("RespBalEnq", txn_id)
    assert answer.root.findtext("Payer/Bal/Data") == "MTIzNDUuNjc="


@pytest.mark.parametrize(
    ("_case", "answer", "nack", "code"),
    [
        ("the issuer's own code",  spoken.declines("ZM"), "",    "ZM"),
        ("the issuer is silent",   spoken.silent,         "",    "U28"),
        ("a negative Ack",         spoken.silent,         "K06", "U99"),
    ],
)  # fmt: skip
def test_a_refusal_of_the_issuer_comes_back(world, _case, answer, nack, code):
    world.bank.answers = {("ReqBalEnq", "BalEnq"): answer}
    world.bank.nacks = {("ReqBalEnq", "BalEnq"): nack} if nack else {}
    txn_id = new_id()
    payer = spoken.payer_party(block(world, txn_id))

    world.bank.post(spoken.account_request("ReqBalEnq", "BalEnq", payer, txn_id=txn_id))

    if code == "U28":
        world.silence(txn_id, "ReqBalEnq")
    heard = world.bank.wait_for("RespBalEnq", txn_id)
    assert (heard.get("Resp", "result"), heard.get("Resp", "errCode")) == ("FAILURE", code)


def test_an_issuer_that_cannot_be_reached_is_u97(world):
    world.fault("unreachable", "out", api="ReqOtp")
    txn_id = new_id()

    world.bank.post(
        spoken.account_request("ReqOtp", "Otp", spoken.payer_party(), details(), txn_id=txn_id)
    )

    assert world.bank.wait_for("RespOtp", txn_id).get("Resp", "errCode") == "U97"


def test_a_block_of_another_device_never_reaches_the_issuer(world):
    txn_id = new_id()
    payer = spoken.payer_party(block(world, txn_id, ID="another"))

    world.bank.post(spoken.account_request("ReqBalEnq", "BalEnq", payer, txn_id=txn_id))

    assert world.bank.wait_for("RespBalEnq", txn_id).get("Resp", "errCode") == "U66"
    assert world.bank.kinds(txn_id) == []


@pytest.mark.parametrize(
    ("_case", "spoil", "code"),
    [
        ("no payer",         lambda root: root.remove(root.find("Payer")),               "P01"),
        ("not our address",  lambda root: root.find("Payer").set("addr", "a@smplbank"),  "U55"),
        ("no account",       lambda root: root.find("Payer").remove(root.find("Payer/Ac")), "U50"),
        ("no details",       lambda root: root.remove(root.find("RegDetails")),          "F01"),
        ("another format",   lambda root: root.find("RegDetails").set("type", "FORMAT2"), "U76"),
    ],
)  # fmt: skip
def test_an_account_request_is_refused_with_the_code_of_its_fault(world, _case, spoil, code):
    txn_id = new_id()
    request = spoken.account_request(
        "ReqOtp", "Otp", spoken.payer_party(), details(), txn_id=txn_id
    )
    spoil(request)

    assert world.bank.post(request) == code

    assert world.bank.kinds(txn_id) == []
