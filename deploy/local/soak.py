"""`python -m deploy.local.soak`: the long runs; their results go to `.local/soak.json`."""

import argparse
import json
import platform as machine
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.local import command, console, environment, up
from deploy.local.directory import REPOSITORY, LocalDirectory
from deploy.local.platform import Platform
from deploy.local.process_file import PYTHON

# Three to four legs of a payment are the bank's.
_PAYMENTS = 3_000
_PAYMENTS_OF_CUSTOMER = 18
_LANES = 32
_OF_CERTIFICATION = 64
_MESSAGES = 1_000
_INPUTS = 100_000
_TAIL_LINES = 40
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Step:
    """One long run: its command, how it ended, and the last lines that it printed."""

    name: str
    command: str
    code: int
    seconds: float
    tail: list[str]


def main() -> int:
    """Run everything, or what is named; write the results and return 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.soak", description=__doc__)
    parser.add_argument("--payments", type=int, default=_PAYMENTS, help="under faults")
    parser.add_argument("--lanes", type=int, default=_LANES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--messages", type=int, default=_MESSAGES, help="signed by chance")
    parser.add_argument("--inputs", type=int, default=_INPUTS, help="of the fuzzer")
    options = parser.parse_args()
    steps: list[Step] = []
    up.on_fresh_platform(lambda running: _on_platform(running, options, steps))
    for name, words in {
        "signatures": ("-m", "tests.upi.soak_signatures", str(options.messages)),
        "fuzz": ("-m", "tests.upi.soak_fuzz", str(options.inputs)),
    }.items():
        servers = ("-m", "deploy.local", "run", "--", PYTHON, *words)
        steps.append(_step(name, servers, environment.inherited()))
    plants = ("-m", "tests.conformance.soak_plants")
    steps.append(_step("planted bugs", plants, environment.inherited()))
    file = LocalDirectory.from_environment().root.parent / "soak.json"
    file.write_text(json.dumps(_result(steps), indent=1) + "\n", encoding="utf-8")
    console.say(f"results in {file}")
    return 1 if any(step.code for step in steps) else 0


def _on_platform(running: Platform, options: argparse.Namespace, steps: list[Step]) -> int:
    values = environment.inherited() | running.environment
    root, urls = running.directory.root, running.urls
    payers = -(-options.payments // _PAYMENTS_OF_CUSTOMER)
    crowd = max(payers, 2 * options.lanes)
    history = root / "history.jsonl"
    place = (
        "--public-url", urls["public"], "--control-url", urls["control"],
        "--phones", str(root / "phones"), "--keys", running.environment["KEYS_DIRECTORY"],
    )  # fmt: skip
    seed = ("manage.py", "seed_demo", "--phones", str(root / "phones"))
    record = (
        "-m", "conformance.history", "record", str(history), *place,
        "--platform-scale", running.environment["UPI_TIMER_SCALE"], "--seed", str(options.seed),
        "--payments", str(options.payments), "--lanes", str(options.lanes),
    )  # fmt: skip
    table: dict[str, Sequence[str]] = {
        "seed": (*seed, "--customers", str(crowd + _OF_CERTIFICATION)),
        "legs under faults": record,
        "judgement": ("-m", "conformance.history", "judge", str(history)),
        "reconciliation": ("manage.py", "reconcile", "--switch-control", urls["control"]),
        "conformance": (
            "manage.py", "certify", *place, "--first-customer", str(crowd),
            "--json", str(root / "certify.json"), "--evidence", str(root / "evidence.zip"),
        ),
    }  # fmt: skip
    for name, words in table.items():
        step = _step(name, words, values)
        if name == "seed":
            continue
        # What the faults left is listed with its owner: that is what reconciliation is for.
        steps.append(step)
    return 0


def _step(name: str, words: Sequence[str], values: dict[str, str]) -> Step:
    console.say(f"{name}: {' '.join(words)}")
    begun = time.monotonic()
    done = subprocess.run(
        [PYTHON, *words],
        cwd=REPOSITORY,
        env=values,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    seconds = round(time.monotonic() - begun, 1)
    tail = [_COLOUR.sub("", line) for line in done.stdout.splitlines()][-_TAIL_LINES:]
    console.say("\n".join([*tail, f"{name}: code {done.returncode}, {seconds} s"]))
    return Step(name, " ".join(["python", *words]), done.returncode, seconds, tail)


def _result(steps: Sequence[Step]) -> dict[str, object]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "machine": _machine(),
        "commit": commit.stdout.strip(),
        "python": machine.python_version(),
        "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "steps": [asdict(step) for step in steps],
    }


def _machine() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    cores = len(re.findall(r"^processor", Path("/proc/cpuinfo").read_text(), re.MULTILINE))
    name = found[1] if found else machine.machine()
    return f"{cores} cores ({name}), Linux {machine.release()}"


if __name__ == "__main__":
    sys.exit(command.run_to_end(main))
