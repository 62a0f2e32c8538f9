"""`python -m conformance.history judge FILE`: print what a recorded run promises and breaks."""

import argparse
import sys
from collections import Counter
from pathlib import Path

from rich.console import Console

from conformance.history.judging import PROMISES, judge
from conformance.history.reading import History

_SHOWN_MAX = 20


def main() -> int:
    """Judge the file; return 1 if a promise did not hold, 2 if there is too little to judge."""
    parser = argparse.ArgumentParser(prog="python -m conformance.history", description=__doc__)
    commands = parser.add_subparsers(required=True)
    judging = commands.add_parser("judge", help="judge a history")
    judging.add_argument("file", type=Path)
    history = History.from_file(parser.parse_args().file)
    return report(history, Console())


def report(history: History, console: Console) -> int:
    """Print each promise with how often it was broken, and return the exit code."""
    if not history.accepted() or not history.journals:
        console.print("nothing was accepted: there is nothing to judge")
        return 2
    found = judge(history)
    broken = Counter(violation.promise for violation in found)
    payments = len({pay["txn_id"] for pay in history.accepted()})
    reads = sum(len(reads) for reads in history.reads.values())
    console.print(
        f"{payments} payments, {len(history.pays)} orders, {reads} reads", highlight=False
    )
    for name in PROMISES:
        mark = "[red]✗[/]" if broken[name] else "[green]✓[/]"
        console.print(f"  {mark} {name.replace('_', ' ')}" + f"  {broken[name]}" * (name in broken))
    for violation in found[:_SHOWN_MAX]:
        console.print(f"    {violation.promise}: {violation.subject} {violation.detail}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
