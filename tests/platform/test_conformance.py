"""A sample of what is examined at length elsewhere: conformance cases, and a run under faults."""

import json
import re
import subprocess
import zipfile
from pathlib import Path

import httpx
import pytest
from lxml import etree

from conformance import evidence, report, runner
from conformance.cases import CASES
from conformance.history import load
from conformance.history.judging import judge
from conformance.history.reading import History
from conformance.place import TIMEOUT_SECONDS, Control, Place
from deploy.local import environment, host_accounts
from deploy.local.directory import REPOSITORY
from deploy.local.process_file import PYTHON

pytestmark = [pytest.mark.platform, pytest.mark.timeout(600)]

SEED = 20261122
CASES_DRAWN = 15
LANES = 4
# Cases that need a customer whom nobody has touched draw from what is left.
CUSTOMERS = 30
PAYMENTS = 14
# Faults that leave nothing for the day file: other tests hold the books against the switch's.
RATES = {"duplicate": 0.15, "repeat": 0.1, "reorder": 0.1}


@pytest.fixture(scope="module")
def place(platform) -> Place:
    phones = platform.directory.root / "phones"
    subprocess.run(
        [PYTHON, "manage.py", "seed_demo", "--phones", phones, "--customers", str(CUSTOMERS)],
        cwd=REPOSITORY,
        env=environment.inherited() | platform.environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    host_accounts.fill(platform.environment)
    return Place(
        public_url=platform.urls["public"],
        control_url=platform.urls["control"],
        phones=phones,
        keys=Path(platform.environment["KEYS_DIRECTORY"]),
        platform_scale=float(platform.environment["UPI_TIMER_SCALE"]),
    )


def test_a_sample_of_the_conformance_cases_passes_and_leaves_its_evidence(place, tmp_path):
    cases = runner.sample(CASES, seed=SEED, size=CASES_DRAWN)

    with evidence.witnessed(place.control_url) as witness:
        verdicts = runner.run(cases, place, lanes=LANES, done=lambda _: None)

    assert {verdict.case.id: verdict.reason for verdict in verdicts if not verdict.passed} == {}
    facts = report.facts(
        began_at=report.began_at(), seconds=1, lanes=LANES, platform_scale=1, switch_scale=1
    )
    report.write_json(tmp_path / "certify.json", facts, verdicts)
    with httpx.Client(timeout=TIMEOUT_SECONDS) as client:
        control = Control(place.control_url, client)
        evidence.write(tmp_path / "evidence.zip", facts, verdicts, witness, control.journal)
    told = json.loads((tmp_path / "certify.json").read_text())
    assert told["summary"] == {"passed": CASES_DRAWN, "cases": CASES_DRAWN}
    with zipfile.ZipFile(tmp_path / "evidence.zip") as bundle:
        held = {name: bundle.read(name).decode() for name in bundle.namelist()}
    parts = ("case.json", "messages.xml", "journal.json")
    assert {f"cases/{case.id}/{part}" for case in cases for part in parts} <= set(held)
    assert "had passed before they were read" in held["README.md"]
    documents = {name: etree.fromstring(text) for name, text in held.items() if ".xml" in name}
    seen = [message for document in documents.values() for message in document]
    # Whatever is drawn, a case that pays sends ReqPay, and each asks for a balance or is refused.
    assert len(seen) > CASES_DRAWN
    assert all(len(message) == 1 for message in seen)
    assert [name for name, text in held.items() if leaks(place, text)] == []


def leaks(place: Place, text: str) -> list[str]:
    """Return what an evidence must not hold: numbers of people, credentials, keys of shops."""
    people = place.customers()
    secret = [place.shop()["api_key"], *(person["device_identifier"] for person in people)]
    secret += [person["mobile"][-10:] for person in people]
    found = [each for each in secret if each in text]
    # The accounts of the seed's crowd, and the outer form of every credential block.
    return found + re.findall(r"\b0013\d{8}\b|2\.0\|[A-Za-z0-9+/]{8}", text)


def test_a_short_run_under_faults_is_found_good(place, tmp_path):
    plan = load.Plan(payments=PAYMENTS, lanes=LANES - 1, seed=SEED, rates=RATES)
    untouched = CUSTOMERS - plan.people
    apart = Place(
        public_url=place.public_url,
        control_url=place.control_url,
        phones=place.phones,
        keys=place.keys,
        platform_scale=place.platform_scale,
        first_customer=untouched,
    )

    load.record(apart, plan, tmp_path / "history.jsonl")

    history = History.from_file(tmp_path / "history.jsonl")
    assert judge(history) == []
    assert history.figures()["payments"] == PAYMENTS
    assert history.figures()["messages that met a fault"] > 0
