"""Every way in which a payment can fail or stay silent, and how the switch ends it."""

import pytest

from tests.sandbox import spoken
from tests.sandbox.conftest import wait_until
from tests.sandbox.spoken import declines, posted_then_silent, silent

DEBIT, CREDIT, REVERSAL = ("ReqPay", "DEBIT"), ("ReqPay", "CREDIT"), ("ReqPay", "REVERSAL")
AUTH = ("ReqAuthDetails", "PAY")
BACK = "ReqPay:REVERSAL(DEBIT)"
SILENCES = (silent, posted_then_silent)


def kind_of(leg: tuple[str, str]) -> str:
    return leg[1] if leg[0] == "ReqPay" else leg[0]


def reversals(*, debit=spoken.natural, credit=spoken.natural):
    """Answer the two kinds of reversal differently."""

    def respond(bank, request):
        return (debit if request.get("Txn", "subType") == "DEBIT" else credit)(bank, request)

    return respond


# Our bank is payer's PSP, payee's PSP, remitter and beneficiary in all of these.
ROWS = [
    ("payee unknown",                {AUTH: declines("ZH")},                "U19~ZH", "",   []),
    ("payee's PSP is silent",        {AUTH: silent},                        "U09",    "",   []),
    ("remitter declines",            {DEBIT: declines("Z9")},               "U30~Z9", "Z9", []),
    ("remitter silent, not debited", {DEBIT: silent},                       "U67",    "UT", [BACK]),
    ("remitter silent, but debited", {DEBIT: posted_then_silent},           "U67",    "UT", [BACK]),
    ("remitter silent to the last",  {DEBIT: silent, REVERSAL: silent},     "U67",    "RR", [BACK]),
    ("beneficiary declines",         {CREDIT: declines("XI")},              "U31~XI", "XI", [BACK]),
    ("beneficiary declines, no way back", {CREDIT: declines("XI"), REVERSAL: silent},
                                                                            "U31~XI", "RR", [BACK]),
]  # fmt: skip


@pytest.mark.parametrize(("_case", "answers", "code", "raw_code", "ways_back"), ROWS)
def test_a_failure_is_ended_as_its_row_says(world, _case, answers, code, raw_code, ways_back):
    world.bank.answers = answers

    txn_id = world.send_pay("shop@exbank")

    world.silence(txn_id, *(kind_of(leg) for leg in answers if answers[leg] in SILENCES))
    shown = world.ended(txn_id)
    assert (shown["status"], shown["code"], shown["raw_code"]) == ("FAILURE", code, raw_code)
    final = world.bank.wait_for("RespPay", txn_id)
    assert final.get("Resp", "result") == "FAILURE"
    assert final.get("Resp", "errCode") == code
    assert [ref.get("settAmount") for ref in final.root.iterfind("Resp/Ref")] == ["0.00", "0.00"]
    assert [kind for kind in world.bank.kinds(txn_id) if "REVERSAL" in kind] == ways_back
    assert world.position(txn_id) == (0, 0)


SILENT_CREDIT = "ReqPay:REVERSAL(CREDIT)"
SILENT_ROWS = [
    ("never credited",    silent,             spoken.natural, ("FAILURE", "U68", "BT"), True),
    ("credited",          posted_then_silent, spoken.natural, ("SUCCESS", "",    "00"), False),
    ("says not done",     silent,             declines("NC"), ("FAILURE", "U68", "BT"), True),
    ("says reversed",     silent,             declines("00"), ("FAILURE", "U68", "BT"), True),
    ("cannot say",        silent,             declines("96"), ("DEEMED",  "RB",  "RB"), False),
    ("silent to the end", silent,             silent,         ("DEEMED",  "RB",  "RB"), False),
]  # fmt: skip


@pytest.mark.parametrize(("_case", "credit", "reversal", "ending", "goes_back"), SILENT_ROWS)
def test_a_silent_beneficiary_is_asked_to_leave_it_undone(
    world, _case, credit, reversal, ending, goes_back
):
    world.bank.answers = {CREDIT: credit, REVERSAL: reversals(credit=reversal)}

    txn_id = world.send_pay("shop@exbank")

    world.silence(txn_id, "CREDIT", *["REVERSAL"] * (reversal is silent))
    shown = world.ended(txn_id)
    assert (shown["status"], shown["code"], shown["raw_code"]) == ending
    ways_back = [kind for kind in world.bank.kinds(txn_id) if "REVERSAL" in kind]
    assert ways_back == ([SILENT_CREDIT, BACK] if goes_back else [SILENT_CREDIT])
    told = world.bank.wait_for("RespPay", txn_id)
    assert told.get("Resp", "result") == ending[0]
    settled = {reference.get("settAmount") for reference in told.root.findall("Resp/Ref")}
    assert settled == {"0.00" if goes_back else "149.50"}
    assert world.position(txn_id) == ((0, 0) if goes_back else (14950, 14950))


def test_a_reversal_names_its_original_under_an_id_of_its_own(world):
    world.bank.answers = {CREDIT: declines("XI")}

    txn_id = world.send_pay("shop@exbank")

    world.ended(txn_id)
    debit = next(m for m in world.bank.heard if m.type == "DEBIT" and m.txn_id == txn_id)
    reversal = world.bank.wait_for("ReqPay", txn_id, "REVERSAL")
    assert reversal.txn_id != txn_id
    assert reversal.get("Txn", "orgTxnId") == txn_id
    assert reversal.get("Txn", "orgMsgId") == debit.message_id
    assert reversal.get("Txn", "orgRespCode") == "U31"
    assert reversal.get("Txn", "orgRrn") == debit.get("Txn", "custRef")
    assert reversal.root.find("Payer/Creds") is None


UNACKED = [
    ("no Ack to the authorisation", AUTH,   "U18", "",   0),
    ("no Ack to the debit",         DEBIT,  "U53", "UT", 1),
    ("no Ack to the credit",        CREDIT, "U26", "BT", 1),
]  # fmt: skip


@pytest.mark.parametrize("action", ["unreachable", "lose_ack"])
@pytest.mark.parametrize(("_case", "leg", "code", "raw_code", "ways_back"), UNACKED)
def test_a_request_without_an_ack_fails_the_payment(
    world, action, _case, leg, code, raw_code, ways_back
):
    world.fault(action, "out", api=leg[0], type=leg[1])

    txn_id = world.send_pay("shop@exbank")

    shown = world.ended(txn_id)
    assert (shown["status"], shown["code"], shown["raw_code"]) == ("FAILURE", code, raw_code)
    assert len([k for k in world.bank.kinds(txn_id) if "REVERSAL" in k]) == ways_back


@pytest.mark.parametrize(("_case", "leg", "code", "raw_code", "ways_back"), UNACKED)
def test_a_negative_ack_counts_as_none(world, _case, leg, code, raw_code, ways_back):
    world.bank.nacks = {leg: "T02"}

    txn_id = world.send_pay("shop@exbank")

    shown = world.ended(txn_id)
    assert (shown["status"], shown["code"], shown["raw_code"]) == ("FAILURE", code, raw_code)


def test_an_answer_whose_request_was_held_for_not_acked_is_late(world):
    world.fault("lose_ack", "out", api="ReqPay", type="CREDIT")

    txn_id = world.send_pay("shop@exbank")

    world.ended(txn_id)
    assert world.bank.posted["CREDIT", txn_id] == 1
    refused = [row["ack"] for row in world.messages(txn_id, "in", "RespPay", "CREDIT")]
    assert refused == ["U70"]


def test_a_late_answer_is_refused_and_changes_nothing(world):
    world.fault("delay", "out", api="ReqPay", type="CREDIT", seconds=40)

    txn_id = world.send_pay("shop@exbank")

    wait_until(lambda: world.control.get("/faults").json()["faults"][0]["hits"] == 1)
    world.advance(15)
    assert world.ended(txn_id)["code"] == "U68"
    world.advance(25)
    world.bank.wait_for("ReqPay", txn_id, "CREDIT")
    wait_until(lambda: world.messages(txn_id, "in", "RespPay", "CREDIT"))
    assert [r["ack"] for r in world.messages(txn_id, "in", "RespPay", "CREDIT")] == ["U70"]
    assert world.position(txn_id) == (0, 0)


def test_the_switch_that_loses_the_answer_learns_that_the_credit_stands(world):
    world.fault("lose", "in", api="RespPay", type="CREDIT")

    txn_id = world.send_pay("shop@exbank")

    world.silence(txn_id, "CREDIT")
    assert world.ended(txn_id)["status"] == "SUCCESS"
    confirmation = world.bank.wait_for("ReqTxnConfirmation", txn_id)
    assert confirmation.get("TxnConfirmation", "orgStatus") == "SUCCESS"
    assert SILENT_CREDIT in world.bank.kinds(txn_id)


def test_the_switch_that_loses_the_request_gives_the_money_back(world):
    world.fault("lose", "out", api="ReqPay", type="CREDIT")

    txn_id = world.send_pay("shop@exbank")

    world.silence(txn_id, "CREDIT")
    assert (shown := world.ended(txn_id))["code"] == "U68"
    assert shown["refs"][0]["respCode"] == "00"
    assert ("CREDIT", txn_id) in world.bank.buried
    assert txn_id in world.bank.reversed
