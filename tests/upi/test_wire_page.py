"""The page about the wire names every message, and every validation code has its place."""

import re
from pathlib import Path

from apps.upi.codec import unpublished
from apps.upi.codec.grammar import ENTRIES, meta_code
from apps.upi.response_codes.table import Table, code_rows
from tests.upi import test_validation

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "UPI_WIRE.md").read_text()
# Parts that only meta messages have: the list has these letters, but not number by number.
META_LETTERS = "YNFG"
# Not a matter of form: refused where an answer and its request are brought together.
CORRELATED = {"T17"}


def section(title: str) -> str:
    return re.split(r"^#+ ", PAGE.partition(f" {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def first_cells(text: str) -> list[str]:
    rows = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)
    return [row.strip() for row in rows[1:]]


def test_every_message_is_on_the_page_with_its_types():
    named: dict[str, set[str]] = {}
    for row in re.findall(r"^\| (R[^|]+)\|([^|]+)\|", section("Messages"), re.MULTILINE):
        for api in row[0].split(","):
            named.setdefault(api.strip(), set()).update(re.findall(r"[A-Za-z]+", row[1]))

    assert set(named) == set(ENTRIES)
    loose = {"as", "the", "request", "above"}
    exact = {api: types for api, types in named.items() if not types & loose}
    assert exact == {api: set(ENTRIES[api].types) for api in exact}


def test_every_name_without_a_public_form_is_on_the_page():
    assert [name for name in unpublished.REFUSALS if name not in section("Messages")] == []


def test_every_validation_code_has_a_message_with_its_fault_or_a_reason_why_it_does_not_arise():
    listed = {code for table, code in code_rows() if table is Table.VALIDATION}
    met = {code for code, *_ in test_validation.faults()}
    reasoned = set(first_cells(section("Codes that do not arise here")))
    of_meta = {meta_code(code) for code in listed if meta_code(code) != code}
    of_meta |= {code for code in listed if code[0] in META_LETTERS}

    assert listed - of_meta - met - reasoned - CORRELATED == set()
    assert reasoned & met == set()
    assert reasoned <= listed
