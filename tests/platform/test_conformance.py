"""A sample of what is examined at length elsewhere: conformance cases, and a run under faults."""

import json
import subprocess
import zipfile
from pathlib import Path

import httpx
import pytest

from conformance import report, runner
from conformance.cases import CASES
from conformance.history import load
from conformance.history.judging import judge
from conformance.history.reading import History
from conformance.place import TIMEOUT_SECONDS, Control, Place
from deploy.local import environment
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
    return Place(
        public_url=platform.urls["public"],
        control_url=platform.urls["control"],
        phones=phones,
        keys=Path(platform.environment["KEYS_DIRECTORY"]),
        platform_scale=float(platform.environment["UPI_TIMER_SCALE"]),
    )


def test_a_sample_of_the_conformance_cases_passes_and_leaves_its_evidence(place, tmp_path):
    cases = runner.sample(CASES, seed=SEED, size=CASES_DRAWN)

    verdicts = runner.run(cases, place, lanes=LANES, done=lambda _: None)

    assert {verdict.case.id: verdict.reason for verdict in verdicts if not verdict.passed} == {}
    facts = report.facts(
        began_at=report.began_at(), seconds=1, lanes=LANES, platform_scale=1, switch_scale=1
    )
    report.write_json(tmp_path / "certify.json", facts, verdicts)
    with httpx.Client(timeout=TIMEOUT_SECONDS) as client:
        control = Control(place.control_url, client)
        report.write_evidence(tmp_path / "evidence.zip", facts, verdicts, control)
    told = json.loads((tmp_path / "certify.json").read_text())
    assert told["summary"] == {"passed": CASES_DRAWN, "cases": CASES_DRAWN}
    with zipfile.ZipFile(tmp_path / "evidence.zip") as bundle:
        assert {f"{case.id}/case.json" for case in cases} <= set(bundle.namelist())


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
