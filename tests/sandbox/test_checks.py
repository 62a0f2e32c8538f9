"""Status checks and heartbeats, both ways."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from sandbox import clock
from tests.sandbox import spoken
from tests.sandbox.bank import new_id
from tests.sandbox.conftest import wait_until
from tests.sandbox.spoken import el


def ask(world, about: str, *, seconds: float = 0):
    """Ask how a payment stands; so many seconds then pass at the switch."""
    request = spoken.check_request(about)
    assert world.bank.post(request) == ""
    world.advance(seconds)
    answer = world.bank.wait_for("RespChkTxn", about)
    world.bank.heard.clear()
    return answer


def test_a_check_tells_how_a_payment_ended(world):
    good, bad = world.send_pay("ravi@smplbank"), world.send_pay("fail.xi@sandbox")
    deemed = world.send_pay("deemed@sandbox")
    world.silence(deemed, "CREDIT", "REVERSAL")
    for txn_id in (good, bad, deemed):
        world.ended(txn_id)
        world.bank.wait_for("RespPay", txn_id)
    world.bank.heard.clear()

    answers = [ask(world, txn_id) for txn_id in (good, bad, deemed)]

    told = [(a.get("Resp", "result"), a.get("Resp", "errCode")) for a in answers]
    assert told == [("SUCCESS", ""), ("FAILURE", "U31~XI"), ("DEEMED", "RB")]
    assert [a.get("Resp", "txnRespCode") for a in answers] == ["00", "XI", "RB"]
    assert [len(a.root.findall("Resp/Ref")) for a in answers] == [2, 2, 2]


def test_a_payment_never_seen_is_unknown(world):
    answer = ask(world, new_id())

    assert (answer.get("Resp", "result"), answer.get("Resp", "errCode")) == ("FAILURE", "U48")


NOW, DAY = clock.now(), dt.timedelta(days=1)
REFUSALS = [
    ("no original",        {"orgTxnId": ""},                                "T08"),
    ("a strange original", {"orgTxnId": "EXB-1"},                           "T09"),
    ("a mandate unnamed",  {"subType": "MANDATE"},                          "T16"),
    ("another mode",       {"initiationMode": "15"},                        "IM0"),
    ("no date",            {"orgTxnDate": ""},                              "X08"),
    ("no zone",            {"orgTxnDate": "2026-11-22T10:00:00"},           "X08"),
    ("too long ago",       {"orgTxnDate": clock.iso(NOW - 91 * DAY)},       "X09"),
]  # fmt: skip


@pytest.mark.parametrize(("_case", "changes", "code"), REFUSALS)
def test_a_check_is_refused_with(world, _case, changes, code):
    assert world.bank.post(spoken.check_request(new_id(), **changes)) == code


def test_a_check_is_too_late_by_the_clock_of_the_switch(world):
    world.advance(91 * 86400)

    assert world.bank.post(spoken.check_request(new_id())) == "X09"


def test_a_payment_that_the_switch_lost_is_unknown(world):
    world.fault("lose", "in", api="ReqPay", type="PAY")
    txn_id = world.send_pay("ravi@smplbank")

    assert ask(world, txn_id).get("Resp", "errCode") == "U48"


def test_a_payment_under_way_is_waited_for(world):
    txn_id = world.send_pay("slow.300@sandbox")

    assert ask(world, txn_id).get("Resp", "result") == "SUCCESS"


def test_a_payment_that_takes_longer_is_undecided(world):
    txn_id = world.send_pay("late-success.30@sandbox")
    wait_until(lambda: world.messages(txn_id, "in", "RespPay", "CREDIT"))

    answer = ask(world, txn_id, seconds=8)

    assert (answer.get("Resp", "result"), answer.get("Resp", "errCode")) == ("PARTIAL", "")
    world.advance(22)
    assert world.ended(txn_id)["status"] == "SUCCESS"


def test_the_switch_asks_the_bank_about_its_leg(world):
    txn_id = world.send_pay("ravi@smplbank")
    world.ended(txn_id)

    heard = world.control.post("/checks", json={"txn_id": txn_id, "leg": "DEBIT"}).json()

    assert heard == {"outcome": "ANSWERED", "result": "SUCCESS", "code": "00"}
    asked = world.bank.wait_for("ReqChkTxn", txn_id)
    assert asked.get("Txn", "subType") == "DEBIT"
    assert asked.get("Txn", "orgRrn") == "532610000123"


def test_the_other_bank_is_asked_about_its_leg_too(world):
    txn_id = world.send_pay("ravi@smplbank")
    world.ended(txn_id)

    heard = world.control.post("/checks", json={"txn_id": txn_id, "leg": "CREDIT"}).json()

    assert heard["result"] == "SUCCESS"


def test_a_heartbeat_is_answered(world):
    beat = new_id()
    transaction = el("Txn", {"id": beat, "note": "hbt", "type": "Hbt"})
    message = el("HbtMsg", {"type": "ALIVE", "value": "NA"})

    assert world.bank.post(spoken.message("ReqHbt", transaction, message)) == ""

    assert world.bank.wait_for("RespHbt", beat).get("Resp", "result") == "SUCCESS"


def beats(world) -> list:
    return [each for each in world.bank.heard if each.api == "ReqHbt"]


def test_the_switch_beats_by_itself_and_knows_when_the_bank_is_not_there(world):
    known = lambda: world.control.get("/heartbeats").json()  # noqa: E731
    before = known()["answered_at"]
    world.control.post("/heartbeats", json={"every_seconds": 90})
    world.advance(90)
    wait_until(lambda: known()["answered_at"] != before)
    assert len(beats(world)) == 1
    world.bank.nacks = {("ReqHbt", "Hbt"): "U08"}

    for missed in (1, 2, 3):
        assert known()["is_up"]
        world.advance(90)
        wait_until(lambda missed=missed: known()["missed"] == missed)

    assert not known()["is_up"]
    world.bank.nacks = {}
    world.advance(90)
    wait_until(lambda: known()["is_up"])
    assert world.control.post("/heartbeats", json={"every_seconds": 0}).json()["missed"] == 0
    world.advance(90)
    assert len(beats(world)) == 5


def test_the_switch_asks_whether_the_bank_is_alive(world):
    alive = world.control.post("/heartbeat").json()
    world.bank.answers = {("ReqHbt", "Hbt"): spoken.silent}
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(httpx.post, f"{world.control.base_url}/heartbeat", timeout=30)
        wait_until(lambda: len(beats(world)) == 2)
        world.advance(10)
        silent = asking.result().json()

    assert alive["result"] == "SUCCESS"
    assert silent == {"outcome": "SILENT"}
