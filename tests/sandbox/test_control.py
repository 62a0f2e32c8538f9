"""The control door: day file, positions, refusals, text messages, webhooks."""

import csv
import datetime as dt
import io

import pytest

from sandbox import dayfile
from tests.sandbox import spoken
from tests.sandbox.conftest import wait_until


def rows_of(world, *txn_ids: str, **query: str) -> dict[str, dict[str, str]]:
    """Read the files of the days on which these payments ended."""
    dates = {world.ended(txn_id)["completed_at"][:10] for txn_id in txn_ids}
    found = {}
    for date in dates:
        response = world.control.get("/dayfile", params={"date": date} | query)
        assert response.headers["content-type"].startswith("text/csv")
        found |= {row["txnId"]: row for row in csv.DictReader(io.StringIO(response.text))}
    return found


def test_the_day_file_has_a_row_for_each_payment_that_reached_the_remitter(world):
    paid, unknown = world.send_pay("store1@smplbank"), world.send_pay("ghost@smplbank")
    received, within = world.order("shop@exbank"), world.send_pay("shop@exbank")
    for txn_id in (paid, unknown, received, within):
        world.ended(txn_id)
    deemed = world.send_pay("deemed@sandbox")
    world.silence(deemed, "CREDIT", "REVERSAL")
    timed_out = world.send_pay("timeout@sandbox")
    world.silence(timed_out, "CREDIT")

    rows = rows_of(world, paid, deemed, timed_out, received, within, unknown)

    assert unknown not in rows
    assert [rows[txn_id]["respCode"] for txn_id in (paid, deemed, timed_out)] == ["00", "RB", "BT"]
    assert list(rows[paid]) == list(dayfile.COLUMNS)
    assert rows[paid] == rows[paid] | {
        "subType": "U2",
        "rrn": "532610000123",
        "Date": f"{dt.datetime.fromisoformat(world.ended(paid)['completed_at']):%d%m%Y}",
        "setAmount": "149.50",
        "initiationMode": "00",
        "purpose": "00",
        "payerId": "EXB",
        "payerMcc": "0000",
        "payerVpa": "asha@exbank",
        "payeeId": "SMP",
        "payeeMcc": "5411",
        "payeeVpa": "store1@smplbank",
        "remId": "EXB",
        "remIfsc": "EXBK0000001",
        "remAccType": "SAVINGS",
        "remAccountNo": "001234567890",
        "beneId": "SMP",
        "beneIfsc": "SMPL0000002",
        "beneAccType": "CURRENT",
        "beneAccountNo": "009876543210",
    }
    assert rows[deemed]["subType"] == "U3"


@pytest.mark.parametrize(
    ("role", "has_sent", "has_received"),
    [
        ("PAYER_PSP",   True,  False),
        ("REMITTER",    True,  False),
        ("PAYEE_PSP",   False, True),
        ("BENEFICIARY", False, True),
        ("",            True,  True),
    ],
)  # fmt: skip
def test_a_role_has_its_own_file(world, role, has_sent, has_received):
    sent, received = world.send_pay("ravi@smplbank"), world.order("shop@exbank")

    rows = rows_of(world, sent, received, role=role)

    assert (sent in rows, received in rows) == (has_sent, has_received)


def test_a_remitters_silence_is_in_the_file(world):
    world.fault("lose", "out", api="ReqPay", type="DEBIT")
    reversed_ = world.send_pay("ravi@smplbank")
    world.silence(reversed_, "DEBIT")
    world.ended(reversed_)
    world.control.delete("/faults")
    world.fault("lose", "out", api="ReqPay", type="DEBIT")
    world.fault("lose", "out", api="ReqPay", type="REVERSAL")
    open_ = world.send_pay("ravi@smplbank")
    world.silence(open_, "DEBIT", "REVERSAL")

    rows = rows_of(world, reversed_, open_)

    assert (rows[reversed_]["respCode"], rows[open_]["respCode"]) == ("UT", "RR")


def test_another_day_is_empty(world):
    txn_id = world.send_pay("ravi@smplbank")

    assert rows_of(world, txn_id, date="2020-01-01") == {}


def test_positions_add_up(world):
    sent, received = world.send_pay("ravi@smplbank", "1.00"), world.order("shop@exbank")
    world.ended(sent)
    world.ended(received)

    shown = world.control.get("/journal/positions").json()

    rows = {row["txn_id"]: row for row in shown["transactions"]}
    assert (rows[sent]["payable_paise"], rows[sent]["receivable_paise"]) == (100, 0)
    assert (rows[received]["payable_paise"], rows[received]["receivable_paise"]) == (0, 14950)
    assert shown["payable_paise"] == sum(row["payable_paise"] for row in rows.values())
    assert shown["net_paise"] == shown["payable_paise"] - shown["receivable_paise"]


def test_the_journal_tells_a_payment_message_by_message(world):
    txn_id = world.send_pay("ravi@smplbank")
    world.ended(txn_id)
    wait_until(lambda: len(world.messages(txn_id, "out", "RespPay")) == 1)

    shown = world.control.get("/journal", params={"txn_id": txn_id}).json()

    told = [(row["direction"], row["org_id"], row["api"], row["type"]) for row in shown["messages"]]
    assert told[0] == ("in", "900001", "ReqPay", "PAY")
    assert ("out", "900001", "ReqPay", "DEBIT") in told
    assert ("in", "900002", "RespPay", "CREDIT") in told
    assert [(entry["kind"], entry["paise"]) for entry in shown["entries"]] == [
        ("DEBIT", 14950),
        ("CREDIT", -14950),
    ]


REFUSALS = [
    ("payments", {},                                            "payee must be a text"),
    ("payments", {"payee": "a@exbank", "amount_paise": 0},      "amount_paise must be"),
    ("payments", {"payee": "a@exbank", "amount_paise": 1.5},    "amount_paise must be"),
    ("payments", {"payee": "a@exbank", "amount_paise": True},   "amount_paise must be"),
    ("payments", {"payee": "a@exbank", "amount_paise": 1, "x": 1}, "unknown members: x"),
    ("payments", {"payee": "a@exbank", "amount_paise": 1, "payer": "x@smplbank"}, "no customer"),
    ("payments", {"payee": "a@exbank", "amount_paise": 1, "payer": "magic@sandbox"}, "no customer"),
    ("faults",   {"action": "lose"},                            "match must be an object"),
    ("faults",   {"match": {}, "action": "lose"},               "direction must be"),
    ("faults",   {"match": {"direction": "out"}, "action": "explode"}, "action must be one of"),
    ("faults",   {"match": {"direction": "out"}, "action": "nack"},    "not possible"),
    ("faults",   {"match": {"direction": "in"}, "action": "repeat"},   "not possible"),
    ("faults",   {"match": {"direction": "in"}, "action": "lose", "count": 0}, "count must be"),
    ("faults",   {"match": {"direction": "in", "y": ""}, "action": "lose"}, "unknown members: y"),
    ("timers",   {"scale": 0},                                  "scale must be"),
    ("timers",   {"scale": "1"},                                "scale must be"),
    ("timers",   {},                                            "scale must be"),
    ("sms",      {"to": "", "text": "hello"},                   "to must not be empty"),
    ("checks",   {"txn_id": "EXB1", "leg": "PAY"},              "leg must be one of"),
]  # fmt: skip


@pytest.mark.parametrize(("door", "body", "detail"), REFUSALS)
def test_a_wrong_order_is_refused_and_nothing_happens(world, door, body, detail):
    response = world.control.post(f"/{door}", json=body)

    assert response.status_code == 400
    assert response.headers["content-type"].startswith("application/problem+json")
    assert detail in response.json()["detail"]
    assert world.control.get("/faults").json() == {"faults": []}
    assert world.bank.heard == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"scale":1,"scale":2}', b'{"scale":NaN}'])
def test_what_is_no_plain_object_is_refused(world, body):
    response = world.control.post("/timers", content=body)

    assert response.status_code == 400
    assert response.json()["code"] == "invalid"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/payments/EXB1", 404),
        ("/payments/EXB1?wait=x", 400),
        ("/payments/EXB1?wait=nan", 400),
        ("/journal/positions?org_id=1", 400),
        ("/dayfile", 400),
        ("/dayfile?date=22-11-2026", 400),
        ("/dayfile?date=2026-11-22&role=KING", 400),
    ],
)
def test_a_wrong_question_is_refused(world, path, status):
    assert world.control.get(path).status_code == status


def test_a_payment_that_the_switch_would_refuse_is_not_started(world):
    response = world.control.post("/payments", json={"payee": "a@nowhere", "amount_paise": 1})

    assert (response.status_code, response.json()["detail"]) == (422, "U17")


def test_faults_are_met_in_order_and_counted(world):
    world.fault("delay", "out", api="ReqPay", type="DEBIT", seconds=0.05, count=2)
    world.fault("lose", "out", api="ReqPay", type="DEBIT")

    codes = []
    for is_lost in (False, False, True, False):
        txn_id = world.send_pay("ravi@smplbank")
        world.silence(txn_id, *["DEBIT"] * is_lost)
        codes.append(world.ended(txn_id)["code"])

    assert codes == ["", "", "U67", ""]
    hits = [fault["hits"] for fault in world.control.get("/faults").json()["faults"]]
    assert hits == [2, 1]


def test_a_negative_ack_can_be_ordered(world):
    world.fault("nack", "in", api="ReqPay", type="PAY", code="U80")

    assert world.bank.post(spoken.pay_request(world.switch_key, "ravi@smplbank")) == "U80"

    assert world.bank.heard == []


def test_the_scale_shortens_the_limits(world):
    assert world.control.post("/timers", json={"scale": 0.1}).json() == {
        "scale": 0.1,
        "leg_seconds": 1.5,
        "reversal_seconds": 1.0,
        "check_seconds": 1.0,
    }


def test_text_messages_arrive_in_order_at_their_number(world):
    for text in ("first", "second"):
        sent = world.control.post("/sms", json={"to": "919811112222", "text": text})
        assert sent.status_code == 202
    world.control.post("/sms", json={"to": "919833334444", "text": "other"})

    shown = world.control.get("/sms", params={"to": "919811112222"}).json()["messages"]

    assert [message["text"] for message in shown] == ["first", "second"]


def test_a_webhook_sink_keeps_what_it_was_sent_and_answers_as_it_is_told(world):
    headers = {"webhook-id": "1", "webhook-signature": "v1,abc"}
    first = world.control.post("/webhooks/shop", content=b'{"a": 1}', headers=headers)
    world.control.put("/webhooks/shop", json={"status": 503})
    second = world.control.post("/webhooks/shop", content=b"again")

    shown = world.control.get("/webhooks/shop").json()["deliveries"]

    assert (first.status_code, second.status_code) == (204, 503)
    assert [delivery["body"] for delivery in shown] == ['{"a": 1}', "again"]
    assert shown[0]["headers"]["webhook-signature"] == "v1,abc"
    assert [delivery["status"] for delivery in shown] == [204, 503]


def test_an_unknown_sink_is_empty(world):
    assert world.control.get("/webhooks/nobody").json() == {"deliveries": []}
