"""Scenarios, faults by chance, and the clock that can be moved."""

import datetime as dt

import pytest

from sandbox import codec, faults
from sandbox.chance import Chance
from tests.sandbox import spoken
from tests.sandbox.conftest import wait_until


def run(world, steps: list) -> dict:
    """Carry out a scenario, and return how it ended."""
    response = world.control.post("/scenario", json=steps)
    assert response.status_code == 202, response.text
    wait_until(lambda: world.control.get("/scenario").json()["state"] != "RUNNING")
    return world.control.get("/scenario").json()


def test_a_scenario_is_carried_out_step_by_step(world):
    refund = {"txn_id": "$bought", "amount_paise": 100}
    steps = [
        {"timers": {"scale": 0.9}},
        {"payment": {"payee": "store2@secondbank", "amount_paise": 500}, "as": "bought"},
        {"wait": {"txn_id": "$bought"}, "expect": {"status": "SUCCESS"}},
        {"refund": refund, "as": "back"},
        {"wait": {"txn_id": "$back"}, "expect": {"status": "SUCCESS", "code": ""}},
        {"collect": {"payer": "silent@sandbox", "amount_paise": 500}, "as": "asked"},
        {"clock": {"advance_seconds": 1800}},
        {"wait": {"txn_id": "$asked"}, "expect": {"code": "U69"}},
    ]

    ended = run(world, steps)

    assert (ended["state"], len(ended["results"])) == ("DONE", 8), ended
    bought = ended["results"][1]["done"]["txn_id"]
    assert world.position(bought, "900002") == (500, 0)
    assert world.position(bought, "900003") == (0, 500)


def test_a_scenario_ends_with_the_first_step_that_fails(world):
    steps = [
        {"payment": {"payee": "success@sandbox", "amount_paise": 151}, "as": "poor"},
        {"wait": {"txn_id": "$poor"}, "expect": {"status": "SUCCESS"}},
        {"payment": {"payee": "success@sandbox", "amount_paise": 100}},
    ]

    ended = run(world, steps)

    assert ended["state"] == "FAILED"
    assert [result["order"] for result in ended["results"]] == ["payment", "wait"]
    assert ended["results"][-1]["detail"] == "status is 'FAILURE', not 'SUCCESS'"


def test_an_order_that_is_refused_ends_it_too(world):
    ended = run(world, [{"payment": {"payee": "$nobody", "amount_paise": 1}}])

    assert ended["results"][0]["code"] == "unknown_name"


@pytest.mark.parametrize(
    "steps",
    [{}, [], [1], [{}], [{"payment": 1}], [{"dance": {}}], [{"wait": {}, "clock": {}}]],
)
def test_a_list_that_is_no_scenario_is_refused(world, steps):
    response = world.control.post("/scenario", json=steps)

    assert (response.status_code, response.json()["code"]) == (400, "invalid")


def heartbeat() -> codec.Envelope:
    return codec.envelope(spoken.message("ReqHbt", spoken.el("Txn", {"type": "Hbt"})))


def test_the_same_seed_gives_each_message_the_same_fate():
    rates = {"duplicate": 0.2, "reorder": 0.2, "lose": 0.1}
    first, second = Chance(7, rates, 20.0), Chance(7, rates, 20.0)
    other = Chance(8, rates, 20.0)

    fates = [[chance.fate("out", heartbeat()) for _ in range(500)] for chance in
             (first, second, other)]  # fmt: skip

    assert fates[0] == fates[1] != fates[2]
    assert first.met == second.met
    assert set(first.met) == set(rates)


def test_chance_meets_every_message_when_it_is_certain(world):
    order = {"seed": 1, "rates": {"duplicate": 1}}
    assert world.control.post("/random_faults", json=order).status_code == 201

    txn_id = world.send_pay("ravi@smplbank")

    assert world.ended(txn_id)["status"] == "SUCCESS"
    debits = lambda: [m for m in world.bank.heard if (m.type, m.txn_id) == ("DEBIT", txn_id)]  # noqa: E731
    wait_until(lambda: len([m for m in debits() if m.api == "ReqPay"]) == 2)
    assert world.control.get("/random_faults").json()["met"]["duplicate"] > 0
    world.control.delete("/faults")
    assert world.control.get("/random_faults").json()["seed"] is None


def test_payments_end_and_the_books_agree_under_faults_by_chance(world):
    world.control.post("/timers", json={"scale": 0.02})
    rates = {"duplicate": 0.1, "reorder": 0.1, "lose_ack": 0.05, "lose": 0.05}
    world.control.post("/random_faults", json={"seed": 11, "rates": rates})

    txn_ids = [world.order("store2@secondbank" if n % 2 else "shop@exbank") for n in range(20)]

    for txn_id in txn_ids:
        world.ended(txn_id)
    world.control.delete("/faults")


WRONG = [
    {"rates": {}},
    {"seed": 1, "rates": {"nack": 0.1}},
    {"seed": 1, "rates": {"lose": 0.6, "delay": 0.6}},
    {"seed": 1, "rates": {"lose": 2}},
]


@pytest.mark.parametrize("order", WRONG)
def test_a_wrong_order_of_chance_is_refused(world, order):
    assert world.control.post("/random_faults", json=order).status_code == 400
    assert world.control.get("/random_faults").json()["seed"] is None


def test_what_chance_may_do_is_what_an_order_may_do():
    assert set(faults.BY_CHANCE) == set(faults.Action) - {"nack"} | {"reorder"}


def test_everything_is_dated_by_the_moved_clock_even_after_a_restart(world):
    before = world.control.get("/clock").json()
    assert before["ahead_seconds"] == 0
    world.control.post("/clock", json={"advance_seconds": 86400 * 3})

    txn_id = world.send_pay("ravi@smplbank")
    created = dt.datetime.fromisoformat(world.ended(txn_id)["created_at"])
    debit = world.bank.wait_for("ReqPay", txn_id, "DEBIT")
    world.bank.wait_for("RespPay", txn_id)
    wait_until(lambda: world.control.get(f"/payments/{txn_id}").json()["stage"] == "DONE")
    world.kill()
    world.start()

    asked = dt.datetime.fromisoformat(before["now"])
    assert created - asked >= dt.timedelta(days=3)
    assert dt.datetime.fromisoformat(debit.get("Head", "ts")) - asked >= dt.timedelta(days=3)
    rows = world.control.get("/dayfile", params={"date": created.date().isoformat()}).text
    assert txn_id in rows
    assert world.control.get("/clock").json()["ahead_seconds"] == 86400 * 3
    assert world.control.delete("/clock").json()["ahead_seconds"] == 0


def test_amounts_decide_where_the_address_says_nothing(world):
    ends = {"1.01": "", "1.51": "U30~Z9", "1.55": "U30~ZM", "1.68": "U68", "1.91": "RB"}
    silent = {"1.68": ["CREDIT"], "1.91": ["CREDIT", "REVERSAL"]}

    for amount, code in ends.items():
        txn_id = world.send_pay("success@sandbox", amount)
        world.silence(txn_id, *silent.get(amount, []))
        assert world.ended(txn_id)["code"] == code
    assert world.ended(world.send_pay("ravi@smplbank", "1.51"))["status"] == "SUCCESS"


def score_of(message) -> dict[str, str]:
    return dict(message.root.find("Txn/RiskScores/Score").items())


SCORES = [
    ("risk.777@sandbox", "149.50", "00777"),
    ("success@sandbox",  "149.77", "99999"),
    ("ravi@smplbank",    "149.77", "00030"),
]  # fmt: skip


@pytest.mark.parametrize(("payee", "amount", "score"), SCORES)
def test_the_switch_scores_the_risk_of_each_leg(world, payee, amount, score):
    txn_id = world.send_pay(payee, amount)

    assert world.ended(txn_id)["status"] == "SUCCESS"
    debit = world.bank.wait_for("ReqPay", txn_id, "DEBIT")
    assert score_of(debit) == {"provider": "NPCI", "type": "TXNRISK", "value": score}


@pytest.mark.parametrize(
    ("payer", "paise", "score"),
    [("risk.888@sandbox", 100, "00888"), ("success@sandbox", 177, "99999")],
)
def test_a_payer_may_be_a_risk_too(world, payer, paise, score):
    txn_id = world.order("shop@exbank", payer=payer, amount_paise=paise)

    assert world.ended(txn_id)["status"] == "SUCCESS"
    assert score_of(world.bank.wait_for("ReqAuthDetails", txn_id))["value"] == score
    assert score_of(world.bank.wait_for("ReqPay", txn_id, "CREDIT"))["value"] == score


@pytest.mark.parametrize(("amount", "code"), [(101, ""), (151, "U30~Z9"), (155, "U30~ZM")])
def test_a_magic_payer_pays_us(world, amount, code):
    txn_id = world.order("shop@exbank", payer="success@sandbox", amount_paise=amount)

    assert world.ended(txn_id)["code"] == code
