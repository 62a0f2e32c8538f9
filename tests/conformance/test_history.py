"""The judge of histories: a recorded run is found good, and each of seven bugs in it is found."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.history.judging import judge
from conformance.history.listing import judge_listing
from conformance.history.reading import History

# Recorded from a running platform: doubled orders, a repeated debit, a wrong PIN, a reversal.
RECORDED = Path(__file__).parent / "vectors" / "history.jsonl"
Lines = list[dict[str, Any]]


@pytest.fixture
def lines() -> Lines:
    return [json.loads(line) for line in RECORDED.read_text().splitlines()]


def broken(lines: Lines) -> set[str]:
    return {violation.promise for violation in judge(History.of(lines))}


def pays(lines: Lines) -> Lines:
    return [line for line in lines if line["kind"] == "pay"]


def reads(lines: Lines, txn_id: str) -> Lines:
    return [line for line in lines if line["kind"] == "read" and line["txn_id"] == txn_id]


def journal(lines: Lines, txn_id: str) -> dict[str, Any]:
    (found,) = (line for line in lines if line["kind"] == "journal" and line["txn_id"] == txn_id)
    return found


def of_status(lines: Lines, status: str, *, payee: str = "") -> dict[str, Any]:
    """Return the first order whose payment ended so."""
    return next(
        pay
        for pay in pays(lines)
        if reads(lines, pay["txn_id"])[-1]["shown"]["status"] == status and payee in pay["payee"]
    )


def move(lines: Lines, vpa: str, paise: int) -> None:
    """Let a balance at the end be other than it was."""
    for line in lines:
        if line["kind"] == "balance" and line["when"] == "after" and line["vpa"] == vpa:
            line["paise"] += paise


def drops_an_accepted_payment(lines: Lines) -> None:
    for read in reads(lines, pays(lines)[0]["txn_id"])[-2:]:
        del read["shown"]
        read.update(outcome="refused", status=404, code="not_found")


def debits_again_on_a_repeat(lines: Lines) -> None:
    repeated = next(
        line
        for line in lines
        if line["kind"] == "journal" and any(row["fault"] == "repeat" for row in line["messages"])
    )
    payment = repeated["payment"]
    move(lines, payment["payer"], -payment["amount_paise"])


def answers_another_payment(lines: Lines) -> None:
    first, other = pays(lines)[1], pays(lines)[-1]
    first["shown"] = copy.deepcopy(other["shown"])


def lets_a_status_go_back(lines: Lines) -> None:
    pay = of_status(lines, "succeeded")
    last = copy.deepcopy(reads(lines, pay["txn_id"])[-1])
    last["invoked_ns"], last["returned_ns"] = last["returned_ns"] + 1, last["returned_ns"] + 2
    last["shown"].update(status="pending", finality="provisional")
    lines.append(last)


def answers_a_credit_that_it_does_not_post(lines: Lines) -> None:
    pay = of_status(lines, "succeeded")
    move(lines, pay["payee"], -pay["amount_paise"])


def debits_what_it_declines(lines: Lines) -> None:
    pay = of_status(lines, "failed", payee="@exbank")
    move(lines, pay["payer"], -pay["amount_paise"])


def posts_a_reversal_twice(lines: Lines) -> None:
    pay = of_status(lines, "failed", payee="fail.xi@sandbox")
    move(lines, pay["payer"], pay["amount_paise"])


def has_an_effect_after_refusal(lines: Lines) -> None:
    txn_id = pays(lines)[0]["txn_id"]
    for pay in pays(lines):
        if pay["txn_id"] == txn_id:
            pay.update(outcome="refused", status=422, code="limit_exceeded")


def never_ends(lines: Lines) -> None:
    pay = of_status(lines, "succeeded")
    for read in reads(lines, pay["txn_id"]):
        read["shown"].update(status="pending", finality="provisional")


def says_otherwise_than_the_switch(lines: Lines) -> None:
    journal(lines, of_status(lines, "succeeded")["txn_id"])["payment"]["status"] = "FAILURE"


def answers_a_leg_in_two_ways(lines: Lines) -> None:
    messages = journal(lines, of_status(lines, "succeeded")["txn_id"])["messages"]
    answer = next(row for row in messages if row["api"] == "RespPay" and row["direction"] == "in")
    messages.append(answer | {"result": "FAILURE", "code": "Z9"})


BUGS: list[tuple[Callable[[Lines], None], str]] = [
    (drops_an_accepted_payment,              "no_acceptance_is_lost"),
    (debits_again_on_a_repeat,               "books_are_the_journal"),
    (answers_another_payment,                "one_payment_per_key"),
    (lets_a_status_go_back,                  "states_never_go_back"),
    (answers_a_credit_that_it_does_not_post, "books_are_the_journal"),
    (debits_what_it_declines,                "books_are_the_journal"),
    (posts_a_reversal_twice,                 "books_are_the_journal"),
    (has_an_effect_after_refusal,            "no_effect_after_refusal"),
    (never_ends,                             "every_payment_ends"),
    (says_otherwise_than_the_switch,         "app_and_switch_agree"),
    (answers_a_leg_in_two_ways,              "a_leg_has_one_answer"),
]  # fmt: skip


def test_the_recorded_run_is_found_good(lines):
    assert judge(History.of(lines)) == []


@pytest.mark.parametrize(("bug", "promise"), BUGS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_bug_breaks_its_promise(lines, bug, promise):
    bug(lines)

    assert promise in broken(lines)


def test_a_difference_that_no_lost_word_explains_is_found(lines):
    pay = of_status(lines, "succeeded")
    found = journal(lines, pay["txn_id"])
    found["payment"]["status"] = "FAILURE"
    for row in found["messages"]:
        row["fault"], row["ack"] = "", ""

    assert "differences_are_the_wires" in broken(lines)


def test_a_debit_whose_reversal_nobody_answered_may_stand_or_not(lines):
    pay = of_status(lines, "failed", payee="fail.xi@sandbox")
    found = journal(lines, pay["txn_id"])
    found["messages"] = [
        row for row in found["messages"] if (row["direction"], row["type"]) != ("in", "REVERSAL")
    ] + [{**found["messages"][0], "fault": "lose"}]

    assert broken(lines) == set()
    move(lines, pay["payer"], -pay["amount_paise"])
    assert broken(lines) == set()
    move(lines, pay["payer"], -1)
    assert broken(lines) == {"books_are_the_journal"}


OWNER = "CREDIT_OF_FAILED POSTED 00; disputes: recover from the beneficiary"


def listed(pay: dict[str, Any], kind: str = "OPEN_ITEM", detail: str = OWNER) -> dict[str, Any]:
    """Return a break as reconciliation writes it."""
    return {"kind": kind, "txn_id": pay["txn_id"], "detail": detail}


@pytest.fixture
def unheard(lines: Lines) -> dict[str, Any]:
    """Let the switch call a credited payment failed, for it heard no Ack of the credit."""
    pay = of_status(lines, "succeeded", payee="@exbank")
    found = journal(lines, pay["txn_id"])
    found["payment"]["status"] = "FAILURE"
    found["messages"][-1]["fault"] = "lose_ack"
    return pay


def complaints(lines: Lines, breaks: Lines, *, host_strays: int = 0) -> set[str]:
    found = judge_listing(History.of(lines), breaks, host_strays=host_strays)
    return {violation.promise for violation in found}


def test_what_the_wire_left_is_listed_with_an_owner_and_may_differ_from_the_file(lines, unheard):
    breaks = [listed(unheard), listed(unheard, "CREDIT_UNEXPECTED", "file BT expects nothing")]

    assert complaints(lines, breaks) == set()
    assert complaints(lines, []) == {"differences_are_listed"}


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        ("OPEN_ITEM",            "CREDIT_OF_FAILED POSTED 00"),
        ("CREDIT_UNEXPECTED",    "file BT expects nothing"),
        ("DEBIT_UNEXPECTED",     "file RR expects nothing"),
        ("BOOKS_UNBALANCED",     "all accounts together are not zero"),
        ("LEG_WITHOUT_TRANSFER", "posted, and no money has moved"),
    ],
)  # fmt: skip
def test_a_break_that_nobody_owns_is_not_accepted(lines, unheard, kind, detail):
    assert complaints(lines, [listed(unheard, kind, detail)]) == {"listed_is_explained"}


def test_a_break_beside_one_that_is_owned_is_accepted_of_few_kinds_only(lines, unheard):
    breaks = [listed(unheard), listed(unheard, "LEG_WITHOUT_TRANSFER", "no money has moved")]

    assert complaints(lines, breaks) == {"listed_is_explained"}


def test_an_item_of_which_the_wire_lost_nothing_is_not_accepted(lines):
    pay = of_status(lines, "succeeded")
    messages = journal(lines, pay["txn_id"])["messages"]
    for row in messages:
        row["fault"], row["ack"] = "", ""

    assert complaints(lines, [listed(pay)]) == {"listed_is_explained"}
    messages[-1]["ack"] = "U70"
    assert complaints(lines, [listed(pay)]) == set()
    assert complaints(lines, [listed({"txn_id": "EXB0"})]) == {"listed_is_explained"}


def test_answers_of_the_banks_host_that_fit_no_call_are_explained_by_its_faults_alone(lines):
    detail = "HOST_ANSWER_UNMATCHED NO_CALL 00; operations: ask core banking"
    stray = listed({"txn_id": ""}, detail=detail)
    other = listed(of_status(lines, "succeeded"), detail=detail)
    unowned = listed({"txn_id": ""}, detail="HOST_ANSWER_UNMATCHED NO_CALL 00")

    assert complaints(lines, [stray, other], host_strays=2) == set()
    assert complaints(lines, [stray, other], host_strays=1) == {"listed_is_explained"}
    assert complaints(lines, [stray]) == {"listed_is_explained"}
    assert complaints(lines, [unowned], host_strays=1) == {"listed_is_explained"}


def test_a_payment_without_an_end_is_listed(lines):
    pay = of_status(lines, "succeeded")
    reads(lines, pay["txn_id"])[-1]["shown"].update(status="pending", finality="provisional")

    assert complaints(lines, []) == {"differences_are_listed"}
    journal(lines, pay["txn_id"])["payment"]["status"] = "DEEMED"
    assert complaints(lines, []) == set()


def test_the_program_judges_the_lists_of_several_days_and_wants_enough_legs(lines, tmp_path):
    file, days = tmp_path / "history.jsonl", [tmp_path / "one.json", tmp_path / "two.json"]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    stray = {"kind": "BOOKS_UNBALANCED", "txn_id": "", "detail": "not zero"}
    for day, breaks in zip(days, ([], [stray]), strict=True):
        day.write_text(json.dumps({"breaks": breaks}))

    def code(*more: str) -> int:
        words = [sys.executable, "-m", "conformance.history", "judge", str(file), *more]
        root = Path(__file__).resolve().parents[2]
        return subprocess.run(words, capture_output=True, check=False, cwd=root).returncode

    assert code("--breaks", str(days[0])) == 0
    assert code("--breaks", str(days[0]), "--breaks", str(days[1])) == 1
    assert code("--least-legs", "10000") == 2


@pytest.mark.parametrize(("bug", "code"), [(None, 0), (posts_a_reversal_twice, 1)])
def test_the_program_says_by_its_code_whether_the_run_was_good(lines, tmp_path, bug, code):
    if bug is not None:
        bug(lines)
    file = tmp_path / "history.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))

    done = subprocess.run(
        [sys.executable, "-m", "conformance.history", "judge", str(file)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
    )

    assert done.returncode == code, done.stdout + done.stderr
    assert "books are the journal" in done.stdout


def test_a_file_in_which_nothing_was_accepted_is_not_judged(tmp_path):
    file = tmp_path / "history.jsonl"
    file.write_text('{"kind": "run", "seed": 1}\n')

    done = subprocess.run(
        [sys.executable, "-m", "conformance.history", "judge", str(file)],
        capture_output=True,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
    )

    assert done.returncode == 2
