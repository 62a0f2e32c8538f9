"""`python -m conformance.history record FILE` makes a run; `judge FILE` judges it."""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from conformance.history import load
from conformance.history.judging import PROMISES, Violation, judge
from conformance.history.listing import judge_listing
from conformance.history.reading import History
from conformance.place import Place

_SHOWN_MAX = 20
_LINE_EVERY_SECONDS = 15.0
_LISTING = ("listed_is_explained", "differences_are_listed")
# Duplicates one in ten, timeouts one in twenty, messages overtaken, Acks lost.
RATES = ("duplicate=0.1", "lose=0.05", "reorder=0.05", "lose_ack=0.03", "repeat=0.02")


def main() -> int:
    """Record or judge; a judgement is 1 if a promise did not hold, 2 with too little to judge."""
    options = _parser().parse_args()
    code: int = options.action(options, Console())
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m conformance.history", description=__doc__)
    commands = parser.add_subparsers(required=True)
    judging = commands.add_parser("judge", help="judge a history")
    judging.add_argument("file", type=Path)
    judging.add_argument(
        "--breaks", type=Path, action="append", help="JSON of `manage.py reconcile`, to judge too"
    )
    judging.add_argument("--least-legs", type=int, default=0, help="with fewer it says nothing")
    judging.add_argument(
        "--host-strays",
        type=int,
        default=0,
        help="how many answers of the bank's own host may have fitted no call",
    )
    judging.set_defaults(action=_judge)
    recording = commands.add_parser("record", help="make a run under faults and record it")
    recording.add_argument("file", type=Path)
    recording.add_argument("--public-url", required=True)
    recording.add_argument("--control-url", required=True)
    recording.add_argument("--phones", type=Path, required=True)
    recording.add_argument("--keys", type=Path, required=True)
    recording.add_argument("--platform-scale", type=float, default=1.0)
    recording.add_argument("--first-customer", type=int, default=0)
    recording.add_argument("--payments", type=int, default=60)
    recording.add_argument("--lanes", type=int, default=8)
    recording.add_argument("--seed", type=int, default=1)
    recording.add_argument("--rate", action="append", metavar="FAULT=SHARE", help="of messages")
    recording.set_defaults(action=_record)
    return parser


def _record(options: argparse.Namespace, console: Console) -> int:
    place = Place(
        public_url=options.public_url,
        control_url=options.control_url,
        phones=options.phones,
        keys=options.keys,
        platform_scale=options.platform_scale,
        first_customer=options.first_customer,
    )
    rates = (rate.partition("=") for rate in options.rate or RATES)
    plan = load.Plan(
        payments=options.payments,
        lanes=options.lanes,
        seed=options.seed,
        rates={name: float(share) for name, _, share in rates},
    )
    with _progress(console, plan.payments) as told:
        made = load.record(place, plan, options.file, told=told)
    console.print(f"recorded {made['transactions']} transactions of {made['people']} customers")
    return 0


@contextmanager
def _progress(console: Console, total: int) -> Iterator[Callable[[int], None]]:
    """Yield a function that is told of each payment: a bar on a terminal, a line now and then."""
    shown = Progress(
        TextColumn("payments"), MofNCompleteColumn(), TimeElapsedColumn(),
        console=console, transient=True, disable=not console.is_terminal,
    )  # fmt: skip
    task = shown.add_task("payments", total=total)
    begun = said_at = time.monotonic()

    def told(number: int) -> None:
        nonlocal said_at
        shown.advance(task)
        now = time.monotonic()
        if not console.is_terminal and now - said_at > _LINE_EVERY_SECONDS:
            said_at = now
            console.print(f"  payment {number + 1} of {total}, {now - begun:.0f} s")

    with shown:
        yield told


def _judge(options: argparse.Namespace, console: Console) -> int:
    history = History.from_file(options.file)
    if history.figures()["legs of the bank"] < options.least_legs:
        console.print(f"fewer than {options.least_legs} legs: too little to judge")
        return 2
    breaks = _breaks(options.breaks)
    return report(history, console, breaks=breaks, host_strays=options.host_strays)


def _breaks(files: Sequence[Path] | None) -> list[dict[str, object]] | None:
    """Return what all of these days list; None if there is no list to judge."""
    if files is None:
        return None
    return [each for file in files for each in json.loads(file.read_text("utf-8"))["breaks"]]


def report(
    history: History,
    console: Console,
    *,
    breaks: Sequence[dict[str, object]] | None = None,
    host_strays: int = 0,
) -> int:
    """Print each promise with how often it was broken, and return the exit code."""
    if not history.accepted() or not history.journals:
        console.print("nothing was accepted: there is nothing to judge")
        return 2
    found: list[Violation] = judge(history)
    promises = list(PROMISES)
    figures = history.figures()
    if breaks is not None:
        found += judge_listing(history, breaks, host_strays=host_strays)
        promises += _LISTING
        figures["items listed"] = len(breaks)
    broken = Counter(violation.promise for violation in found)
    for name, figure in figures.items():
        console.print(f"  {name:<34}{figure:>8}", highlight=False)
    for name in promises:
        mark = "[red]✗[/]" if broken[name] else "[green]✓[/]"
        console.print(f"  {mark} {name.replace('_', ' ')}" + f"  {broken[name]}" * (name in broken))
    for violation in found[:_SHOWN_MAX]:
        console.print(f"    {violation.promise}: {violation.subject} {violation.detail}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
