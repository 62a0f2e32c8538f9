"""The bundle of evidence: what belongs to a case, whole but for what is masked."""

import json
import zipfile
from collections.abc import Iterator

import httpx
import pytest
from lxml import etree

from conformance import evidence, report
from conformance.case import Finding, Verdict
from conformance.cases import CASES
from conformance.place import Control


def passed(number: int, txn_id: str, original_id: str = "") -> dict[str, object]:
    return {
        "number": number, "at": "2026-11-22T10:15:00.000+05:30", "direction": "in",
        "org_id": "900001", "ack": "", "fault": "lose", "txn_id": txn_id,
        "original_id": original_id, "xml": f'<r id="{txn_id}"/>\n',
    }  # fmt: skip


@pytest.fixture
def witness() -> Iterator[evidence.Witness]:
    seen = [passed(3, "B", "A"), passed(1, "A"), passed(2, "C")]
    with httpx.Client() as client:
        # Nothing is asked at its door: what passed is given.
        yield evidence.Witness(
            Control("http://127.0.0.1:9", client), {each["number"]: each for each in seen}
        )


def journal_of(txn_id: str) -> dict[str, object]:
    """Return what a switch's journal would have of a transaction."""
    refs = [{"acNum": "001100000001", "code": "0000"}]
    entry = {"kind": "DEBIT", "paise": 700}
    return {"payment": {"txn_id": txn_id, "status": "SUCCESS", "refs": refs}, "entries": [entry]}


def test_a_witness_finds_a_transaction_with_its_reversals_and_checks_in_order(witness):
    assert [each["number"] for each in witness.of(["A"])] == [1, 3]
    assert witness.of([]) == []


def test_a_bundle_has_an_index_and_for_each_case_its_messages(witness, tmp_path):
    held = Finding("the answer", "SUCCESS 00", "SUCCESS 00", held=True)
    broken = Finding("the answer", "FAILURE B6", "SUCCESS 00", held=False)
    verdicts = [
        Verdict(CASES[0], [held], ["A"], 1.0),
        Verdict(CASES[1], [broken], [], 1.0),
    ]
    facts = report.facts(
        began_at="2026-11-22", seconds=2, lanes=3, platform_scale=0.7, switch_scale=0.5
    )

    evidence.write(tmp_path / "e.zip", facts, verdicts, witness, journal_of)

    with zipfile.ZipFile(tmp_path / "e.zip") as bundle:
        found = {name: bundle.read(name).decode() for name in bundle.namelist()}
    index, first = found["README.md"], f"cases/{CASES[0].id}"
    assert "platform x 0.7, of the switch x 0.5" in index
    assert f"| {CASES[0].id} | passed | 2 | {CASES[0].title} |" in index
    assert f"| {CASES[1].id} | FAILED | 0 | {CASES[1].title} |" in index
    assert "| payer PSP | PSP | 1 | 2 |" in index
    messages = etree.fromstring(found[f"{first}/messages.xml"])
    assert [(each.get("number"), each[0].get("id")) for each in messages] == [
        ("1", "A"),
        ("3", "B"),
    ]
    assert json.loads(found[f"{first}/case.json"])["verdict"] == "passed"
    journal = json.loads(found[f"{first}/journal.json"])["A"]
    assert journal["payment"]["refs"] == [{"acNum": "****0001", "code": "0000"}]
    assert json.loads(found["run.json"])["commit"] == facts.commit
