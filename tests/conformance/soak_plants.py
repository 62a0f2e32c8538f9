"""
Let the judge find each planted bug in a platform that has it.

Every round plays the same small scene; the first one has no bug awake, and must be found good.
Run as `python -m tests.conformance.soak_plants`.
"""

import sys
import uuid
from pathlib import Path

import httpx

from conformance.history.judging import judge
from conformance.history.load import Plan, Run
from conformance.history.reading import History
from conformance.history.recorder import Recorder
from conformance.people import Pool
from conformance.person import other_pin
from conformance.place import TIMEOUT_SECONDS, Control, Place
from deploy.local import certify, command, up
from deploy.local.directory import LocalDirectory
from deploy.local.platform import Platform
from tests.conformance.plants.apps import FILE_VARIABLE
from tests.conformance.plants.names import BUGS

PEOPLE = 4
READS = 8
SETTLE_SECONDS = 60.0


def scene(run: Run, number: int) -> None:
    """Pay in the ways in which a bug could show: doubled, repeated, declined, reversed."""
    first, second, third, fourth = run.people
    for person in run.people:
        run.recorder.balance(person, when="before")
    amount = 1_00 + number
    repeated = third.order(first.vpa, amount)
    fault = {"api": "ReqPay", "type": "DEBIT"}
    run.control.fault("repeat", "out", repeated["txn_id"], **fault)
    orders = [
        (first, first.order(second.vpa, amount)),
        (first, first.order(third.vpa, amount)),
        (third, repeated),
        (second, second.order(fourth.vpa, amount, pin=other_pin(second.pin))),
        (fourth, fourth.order("fail.xi@sandbox", amount)),
    ]
    for person, order in orders:
        run.transactions[order["txn_id"]] = person
        key = str(uuid.uuid4())
        run.recorder.pay(person, order, key=key)
        run.recorder.pay(person, order, key=key)
    run.settle(seconds=SETTLE_SECONDS)
    for _ in range(READS):
        for transaction_id, person in run.transactions.items():
            if person is not None:
                run.recorder.read(person, transaction_id)
    run.record_end()


def trial(platform: Platform) -> int:
    """Play the scene with each bug awake and say what the judge found; return 0 if all were."""
    root = platform.directory.root
    certify.manage(platform, "seed_demo", "--phones", root / "phones", "--customers", PEOPLE)
    place = Place(
        public_url=platform.urls["public"],
        control_url=platform.urls["control"],
        phones=root / "phones",
        keys=Path(platform.environment["KEYS_DIRECTORY"]),
        platform_scale=1,
    )
    failures = 0
    with httpx.Client(timeout=TIMEOUT_SECONDS) as client:
        control = Control(place.control_url, client)
        people = Pool(place).take_with_pins(PEOPLE, client, control, at_once=PEOPLE)
        for number, (bug, promise) in enumerate({"": "", **BUGS}.items()):
            plant_file(root).write_text(bug)
            path = root / f"history-{number}.jsonl"
            with Recorder(path) as recorder:
                plan = Plan(payments=0, lanes=1, seed=0, rates={})
                scene(Run(place, plan, recorder, control, people), number)
            broken = sorted({found.promise for found in judge(History.from_file(path))})
            is_found = promise in broken if bug else not broken
            failures += not is_found
            print(f"{'ok    ' if is_found else 'MISSED'} {bug or 'no bug'}: {', '.join(broken)}")
    return min(failures, 1)


def plant_file(root: Path) -> Path:
    """Return the file that wakes a bug."""
    return root / "plant"


def main() -> int:
    """Start a platform with the bugs in it, all asleep, and hold the trial."""
    directory = LocalDirectory.from_environment()
    changes = {
        "DJANGO_SETTINGS_MODULE": "tests.conformance.plants.settings",
        FILE_VARIABLE: str(plant_file(directory.root)),
    }
    return up.on_fresh_platform(trial, changes=changes)


if __name__ == "__main__":
    sys.exit(command.run_to_end(main))
