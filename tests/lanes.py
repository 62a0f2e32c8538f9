"""
Run the tests in two lanes beside each other, each on servers of its own.

Each lane is one pytest with its own PostgreSQL, Redis, Kafka and token, so that nothing is shared
that one lane could disturb. The second lane's Kafka is always librdkafka's cluster, and both lanes
run what speaks to Kafka: it must pass on the machine's kind of Kafka and on this one. Each lane
ends with the search for leaks, on its own servers.

Run as `python -m tests.lanes [PYTEST OPTION…]`; the last line printed is the sum of both.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_FOLDER = _ROOT / ".local" / "test"
_SUMMARY = re.compile(r"=+ (?P<counts>[0-9]+ .*) in [0-9.]+s.*=+")
_COUNT = re.compile(
    r"([0-9]+) (passed|failed|errors?|skipped|xfailed|xpassed|warnings?|deselected)"
)
# In pytest's order.
_OUTCOMES = ["failed", "passed", "skipped", "deselected", "xfailed", "xpassed", "warning", "error"]
_PLURALS = {"warning", "error"}
_NO_TESTS_EXIT = 5
# What speaks to the lane's Kafka. A new file runs in the first lane until it is named in one.
_BOTH = (
    "tests/messaging/test_consuming.py",
    "tests/messaging/test_relay.py",
)
_SECOND = (
    "tests/accounts",
    "tests/api",
    "tests/common",
    "tests/customers",
    "tests/deploy/test_kafka.py",
    "tests/deploy/test_servers.py",
    "tests/hsm",
    "tests/leaks",
    "tests/ledger",
    "tests/merchants",
    "tests/messaging/test_channels.py",
    "tests/messaging/test_claims.py",
    "tests/messaging/test_idempotency.py",
    "tests/messaging/test_inbox.py",
    # It has a cluster of its own.
    "tests/messaging/test_kafka_loss.py",
    "tests/messaging/test_outbox.py",
    "tests/messaging/test_schemas.py",
    "tests/messaging/test_sweeping.py",
    "tests/messaging/test_wakeups.py",
    "tests/operators",
    "tests/risk",
    "tests/sandbox",
    "tests/settlement",
    "tests/tidy",
    "tests/upi",
    "tests/vpa",
)
_SEARCH = "tests/platform/test_leaks.py"


@dataclass(slots=True)
class Lane:
    """One pytest on its own servers; what it prints is kept in a file."""

    name: str
    script: str
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start servers and script; what they print goes to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "deploy.local", "run", "--", "sh", "-c", self.script]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=_ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        assert self.process is not None
        return self.process.poll()

    def stop(self) -> None:
        """End it, and its servers, if it still runs."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()


def _lane(name: str, script: str, **environment: str) -> Lane:
    folder = _FOLDER / name
    return Lane(
        name,
        script,
        {**os.environ, "UPI_LOCAL_DIR": str(folder), **environment},
        _FOLDER / f"{name}.log",
    )


def _lanes(options: list[str]) -> list[Lane]:
    pytest = [shlex.quote(sys.executable), "-m", "pytest", *map(shlex.quote, options)]
    first = " ".join([*pytest, "tests", *(f"--ignore={folder}" for folder in _SECOND)])
    second = " ".join([*pytest, *_SECOND, *_BOTH, _SEARCH])
    checks = f"{shlex.quote(sys.executable)} -m deploy.local.checks"
    return [
        _lane("first", f"{checks} && exec {first}"),
        _lane("second", f"exec {second}", KAFKA="librdkafka"),
    ]


def _follow(lanes: list[Lane]) -> None:
    """Show the first lane as it goes until all have ended, or its checks have failed."""
    first = lanes[0]
    with first.log.open("rb") as shown:
        while any(lane.exit_code is None for lane in lanes):
            _show(shown.read())
            if first.exit_code and not _counts(first):
                break
            time.sleep(0.5)
        _show(shown.read())
    for lane in lanes[1:]:
        _show(f"\n---- the {lane.name} lane ----\n".encode())
        _show(lane.log.read_bytes())


def _show(content: bytes) -> None:
    sys.stdout.buffer.write(content)
    sys.stdout.flush()


def _counts(lane: Lane) -> Counter[str]:
    lines = lane.log.read_text(errors="replace").splitlines()
    found = [match for line in lines if (match := _SUMMARY.fullmatch(line.strip()))]
    counts = _COUNT.findall(found[-1]["counts"]) if found else []
    return Counter({what.removesuffix("s"): int(number) for number, what in counts})


def _closing_line(lanes: list[Lane], seconds: float) -> str:
    """Return what pytest would have said had it run both lanes as one."""
    counts = sum(map(_counts, lanes), Counter[str]())
    told = [
        f"{counts[what]} {what}{'s' if what in _PLURALS and counts[what] > 1 else ''}"
        for what in _OUTCOMES
        if counts[what]
    ]
    taken = f"{seconds:.2f}s ({timedelta(seconds=int(seconds))})"
    return f" {', '.join(told) or 'no tests ran'} in {taken} ".center(80, "=")


def main() -> int:
    """Run both lanes; return 0 only if all that ran passed, and something did."""
    begun = time.monotonic()
    # Whoever ends this process wants its lanes and their servers ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    lanes = _lanes(sys.argv[1:])
    try:
        for lane in lanes:
            lane.start()
        _follow(lanes)
    finally:
        for lane in lanes:
            lane.stop()
    _show(f"\n{_closing_line(lanes, time.monotonic() - begun)}\n".encode())
    codes = [lane.exit_code for lane in lanes]
    # A selection of tests may leave one lane without any.
    wrong = [code for code in codes if code not in {0, _NO_TESTS_EXIT}]
    return next(iter(wrong), 0 if 0 in codes else _NO_TESTS_EXIT) or 0


if __name__ == "__main__":
    sys.exit(main())
