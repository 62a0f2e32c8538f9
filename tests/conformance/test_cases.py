"""The cases themselves: that there are enough, that each has a text, that ids stay."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from conformance import runner
from conformance.case import Case, Role
from conformance.cases import CASES
from conformance.cases.validation import fault
from conformance.declines import CLASSES, class_of
from conformance.numbering import numbered
from sandbox import codec

PUBLISHED = Path(__file__).parents[1] / "upi" / "vectors" / "response_code_classes.csv"


def a_case(role: Role) -> Case:
    return Case(
        id="", role=role, title="t", given="g", when="w", then="t", source="s", play=lambda _: None
    )


def test_there_are_more_cases_than_a_bank_is_asked_for_and_each_has_its_own_id():
    ids = Counter(case.id for case in CASES)

    assert len(CASES) >= 150
    assert [found for found, count in ids.items() if count > 1] == []
    assert all(re.fullmatch(r"(PSP|PAY|REM|BEN)-\d{3}", case.id) for case in CASES)


def test_each_role_is_examined():
    assert set(Counter(case.role for case in CASES)) == set(Role)


def test_each_case_says_what_is_given_done_and_promised_and_where_that_is_written():
    silent = [
        case.id
        for case in CASES
        if not all((case.title, case.given, case.when, case.then))
        or not case.source.startswith("upi-protocol ")
    ]

    assert silent == []


def test_numbers_begin_at_their_tables_hundred_and_run_by_role():
    made = [a_case(Role.REMITTER), a_case(Role.PAYER_PSP), a_case(Role.REMITTER)]

    assert [case.id for case in numbered(made, first=301)] == ["REM-301", "PSP-301", "REM-302"]


def test_a_sample_is_the_same_for_a_seed_and_leaves_nothing_behind():
    drawn = runner.sample(CASES, seed=7, size=15)

    assert drawn == runner.sample(CASES, seed=7, size=15)
    assert drawn != runner.sample(CASES, seed=8, size=15)
    assert len(drawn) == 15
    assert {case.role for case in drawn} == set(Role)
    assert all(case.is_clean for case in drawn)


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        ("a@x=2",             '<r><a x="2"><b n="k" y="1"/></a></r>'),
        ("a@x",               '<r><a><b n="k" y="1"/></a></r>'),
        ("a/b[@n='k']@y=3",   '<r><a x="1"><b n="k" y="3"/></a></r>'),
        ("-a/b",              '<r><a x="1"/></r>'),
        ("*a/b",              '<r><a x="1"><b n="k" y="1"/><b n="k" y="1"/></a></r>'),
    ],
)  # fmt: skip
def test_a_fault_is_done_to_a_message_as_its_line_says(order, wanted):
    root = codec.element("r", None, codec.element("a", {"x": "1"}))
    root[0].append(codec.element("b", {"n": "k", "y": "1"}))

    fault(root, order)

    assert codec.to_bytes(root).decode() == wanted


def test_a_promise_that_names_a_code_says_how_it_counts():
    texts = " ".join(case.then for case in CASES)

    for words in (
        "U30~Z9, a business decline",
        "U31~Y1, a technical decline",
        "S96, a decline of no class",
    ):
        assert words in texts


@pytest.mark.parametrize(
    ("code", "kind"),
    [("U30~Z9", "BD"), ("U30~B6", "TD"), ("U67", "TD"), ("U69", "BD"), ("S96", ""), ("", "")],
)
def test_a_code_counts_by_its_inner_code(code, kind):
    assert class_of(code) == kind


def test_the_cases_own_classes_are_those_of_the_published_list():
    published: dict[str, set[str]] = {}
    with PUBLISHED.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            for code in row["codes"].split():
                published.setdefault(code, set()).add(row["class"].replace("NA", "").strip("-"))

    differing = [code for code, kind in CLASSES.items() if kind not in published.get(code, ())]

    assert differing == []
