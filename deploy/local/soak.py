"""`python -m deploy.local.soak`: the long runs, or some; their results go to `.local/soak.json`."""

import argparse
import json
import platform as machine
import queue
import re
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from deploy.local import command, console, environment, host_accounts, host_trouble, up
from deploy.local.directory import REPOSITORY, LocalDirectory
from deploy.local.platform import Platform
from deploy.local.process_file import PYTHON

# Three to four legs of a payment are the bank's.
_PAYMENTS = 3_100
_LEGS_LEAST = 10_000
_PAYMENTS_OF_CUSTOMER = 18
_LANES = 32
_OF_CERTIFICATION = 120
_MESSAGES = 1_000
_INPUTS = 100_000
_TAIL_LINES = 40
_QUIET_SECONDS = 30.0
# What a file row or a status check still sets right is looked for again.
_JUDGEMENTS_MAX = 12
_JUDGE_AGAIN_SECONDS = 10.0
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
    """Run what is named, else everything; write the results and return 1 if anything failed."""
    options = _options()
    directory = LocalDirectory.from_environment()
    file = directory.root.parent / "soak.json"
    failed = []
    for part in options.parts:
        begun_at = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        steps = _PARTS[part](options)
        _keep(file, part, begun_at, steps)
        failed += [step.name for step in steps if step.code]
    console.say(f"results in {file}")
    console.say("failed: " + ", ".join(failed) if failed else "every promise held")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.local.soak", description=__doc__)
    parser.add_argument(
        "--parts", type=_parts, default=tuple(_PARTS), help=f"of {', '.join(_PARTS)}"
    )
    parser.add_argument("--payments", type=int, default=_PAYMENTS, help="under faults")
    parser.add_argument("--least-legs", type=int, default=_LEGS_LEAST, help="else not judged")
    parser.add_argument("--lanes", type=int, default=_LANES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--messages", type=int, default=_MESSAGES, help="signed by chance")
    parser.add_argument("--inputs", type=int, default=_INPUTS, help="of the fuzzer")
    return parser.parse_args()


def _parts(text: str) -> tuple[str, ...]:
    named = tuple(re.split(r"[,\s]+", text.strip()))
    unknown = [name for name in named if name not in _PARTS]
    if unknown:
        message = f"{unknown[0]!r} is none of {', '.join(_PARTS)}"
        raise argparse.ArgumentTypeError(message)
    return named


def _legs(options: argparse.Namespace) -> list[Step]:
    """Pay under faults on a fresh platform, and judge what was seen and what is listed."""
    steps: list[Step] = []

    def play(running: Platform) -> int:
        values = environment.inherited() | running.environment
        root, history = running.directory.root, running.directory.root / "history.jsonl"
        payers = max(2 * options.lanes, -(-options.payments // _PAYMENTS_OF_CUSTOMER))
        seeded = _step("seed", _seed(root, payers), values, keep=root / "seed.log")
        steps.append(seeded)
        if seeded.code:
            return 1
        host_accounts.fill(values)
        if _has_host(values):
            steps.append(_host_books("base", root, values))
        record = (
            "-m", "conformance.history", "record", str(history), *_place(running),
            "--platform-scale", running.environment["UPI_TIMER_SCALE"],
            "--seed", str(options.seed), "--payments", str(options.payments),
            "--lanes", str(options.lanes),
        )  # fmt: skip
        begun_at = time.time()
        with host_trouble.trouble(values, seed=options.seed) as told:
            played = _step("legs under faults", record, values)
        steps.append(replace(played, tail=[*played.tail, *host_trouble.figures(told)]))
        if _has_host(values):
            steps.append(_host_books("compare", root, values))
        strays = host_trouble.strays(told)
        steps.extend(_judged(running, options, begun_at=begun_at, host_strays=strays))
        return 0

    up.on_fresh_platform(play)
    return steps


def _has_host(values: Mapping[str, str]) -> bool:
    return values.get("CORE_BANKING") == host_accounts.ISO8583


def _host_books(action: str, root: Path, values: Mapping[str, str]) -> Step:
    words = ("-m", "deploy.local.host_books", action, str(root / "host-base.json"))
    return _step(f"the host's books, {action}", words, values)


def _judged(
    running: Platform, options: argparse.Namespace, *, begun_at: float, host_strays: int
) -> list[Step]:
    """
    Reconcile each day of the run and judge history and lists together, until they agree.

    The bank may need a status check, or the file that it has just taken, to set a payment right.
    """
    values = environment.inherited() | running.environment
    root = running.directory.root
    days = sorted({_indian_day(begun_at), _indian_day(time.time())})
    files = [root / f"breaks-{day}.json" for day in days]
    judge = (
        "-m", "conformance.history", "judge", str(root / "history.jsonl"),
        "--least-legs", str(options.least_legs), "--host-strays", str(host_strays),
        *(word for file in files for word in ("--breaks", str(file))),
    )  # fmt: skip
    steps: list[Step] = []
    for _ in range(_JUDGEMENTS_MAX):
        lists = [_reconciled(running, *named, values) for named in zip(days, files, strict=True)]
        steps = [*lists, _step("judgement", judge, values)]
        if not any(step.code for step in steps):
            return steps
        time.sleep(_JUDGE_AGAIN_SECONDS)
    return steps


def _reconciled(running: Platform, day: str, file: Path, values: Mapping[str, str]) -> Step:
    """Let the bank list a day's breaks in a file. That there are some is for the judge to weigh."""
    words = (
        "manage.py", "reconcile", "--json", "--date", day,
        "--switch-control", running.urls["control"],
    )  # fmt: skip
    step = _step(f"reconciliation of {day}", words, values, keep=file)
    has_list = step.code in {0, 1} and file.read_text().startswith("{")
    return Step(step.name, step.command, 0 if has_list else step.code or 2, step.seconds, step.tail)


def _indian_day(at: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at + 5.5 * 3600))


def _conformance(_options: argparse.Namespace) -> list[Step]:
    """Play every conformance case on a fresh platform."""
    steps: list[Step] = []

    def play(running: Platform) -> int:
        values = environment.inherited() | running.environment
        root = running.directory.root
        certify = (
            "manage.py", "certify", *_place(running),
            "--json", str(root / "certify.json"), "--evidence", str(root / "evidence.zip"),
        )  # fmt: skip
        steps.append(_step("seed", _seed(root, _OF_CERTIFICATION), values, keep=root / "seed.log"))
        host_accounts.fill(values)
        steps.append(_step("conformance", certify, values))
        return 0

    up.on_fresh_platform(play)
    return steps


def _signatures(options: argparse.Namespace) -> list[Step]:
    """Hold our signatures against Debian's xmlsec1, both ways."""
    return _beside_servers("signatures", "tests.upi.soak_signatures", str(options.messages))


def _fuzz(options: argparse.Namespace) -> list[Step]:
    """Post damaged messages to the receiver."""
    return _beside_servers("fuzz", "tests.upi.soak_fuzz", str(options.inputs))


def _plants(_options: argparse.Namespace) -> list[Step]:
    """Let the judge find each planted bug."""
    return [_step("planted bugs", ("-m", "tests.conformance.soak_plants"), environment.inherited())]


_PARTS: Mapping[str, Callable[[argparse.Namespace], list[Step]]] = {
    "legs": _legs,
    "conformance": _conformance,
    "signatures": _signatures,
    "fuzz": _fuzz,
    "plants": _plants,
}


def _beside_servers(name: str, module: str, size: str) -> list[Step]:
    words = ("-m", "deploy.local", "run", "--", PYTHON, "-m", module, size)
    return [_step(name, words, environment.inherited())]


def _seed(root: Path, customers: int) -> Sequence[str]:
    phones = str(root / "phones")
    return ("manage.py", "seed_demo", "--phones", phones, "--customers", str(customers))


def _place(running: Platform) -> Sequence[str]:
    return (
        "--public-url", running.urls["public"], "--control-url", running.urls["control"],
        "--phones", str(running.directory.root / "phones"),
        "--keys", running.environment["KEYS_DIRECTORY"],
    )  # fmt: skip


def _step(
    name: str, words: Sequence[str], values: Mapping[str, str], *, keep: Path | None = None
) -> Step:
    """Run a command, show or keep what it prints, and say how it ended."""
    console.say(f"{name}: python {' '.join(words)}")
    begun = time.monotonic()
    process = subprocess.Popen(
        [PYTHON, *words],
        cwd=REPOSITORY,
        env=dict(values),
        stdout=subprocess.PIPE,
        stderr=None if keep else subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if keep is not None:
        text, _ = process.communicate()
        keep.write_text(text, encoding="utf-8")
        tail = [f"{len(text)} characters in {keep.name}"]
    else:
        tail = _shown(process, name, begun)
    seconds = round(time.monotonic() - begun, 1)
    code = process.wait()
    console.say(f"{name}: code {code}, {seconds} s")
    return Step(name, " ".join(["python", *words]), code, seconds, tail)


def _shown(process: "subprocess.Popen[str]", name: str, begun: float) -> list[str]:
    """Print each line as it comes; of a silent command, say now and then that it still runs."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    stream = process.stdout
    assert stream is not None, "it was asked for"

    def read() -> None:
        for line in stream:
            lines.put(line.rstrip("\n"))
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    while True:
        try:
            line = lines.get(timeout=_QUIET_SECONDS)
        except queue.Empty:
            console.say(f"  {name}: {time.monotonic() - begun:.0f} s")
            continue
        if line is None:
            return list(tail)
        console.say(line)
        tail.append(_COLOUR.sub("", line))


def _keep(file: Path, part: str, begun_at: str, steps: Sequence[Step]) -> None:
    """Write a part's result beside those of the parts that were run before."""
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    parts = known.get("parts", {})
    parts[part] = {
        "at": begun_at,
        "machine": _machine(),
        "commit": _commit(),
        "python": machine.python_version(),
        "passed": not any(step.code for step in steps),
        "seconds": round(sum(step.seconds for step in steps), 1),
        "steps": [asdict(step) for step in steps],
    }
    document = {"parts": {name: parts[name] for name in _PARTS if name in parts}}
    file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


def _machine() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    cores = len(re.findall(r"^processor", Path("/proc/cpuinfo").read_text(), re.MULTILINE))
    name = found[1] if found else machine.machine()
    return f"{cores} cores ({name}), Linux {machine.release()}"


if __name__ == "__main__":
    sys.exit(command.run_to_end(main))
