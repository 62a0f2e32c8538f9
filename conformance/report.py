"""What a run prints and leaves: progress, a table, a JSON file."""

import itertools
import json
import platform
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from conformance.case import Case, Role, Verdict
from sandbox import clock

_LINE_EVERY_SECONDS = 15.0
_WIDTH_WITHOUT_TERMINAL = 140
_PACKAGES = ("Django", "lxml", "xmlsec", "cryptography", "psycopg", "celery", "aiohttp", "httpx")
ROLE_NAMES = {
    Role.PAYER_PSP: "payer PSP",
    Role.PAYEE_PSP: "payee PSP",
    Role.REMITTER: "remitter",
    Role.BENEFICIARY: "beneficiary",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a run was made under."""

    began_at: str
    seconds: float
    lanes: int
    platform_scale: float
    switch_scale: float
    commit: str
    python: str
    versions: dict[str, str]


def facts(
    *, began_at: str, seconds: float, lanes: int, platform_scale: float, switch_scale: float
) -> Facts:
    """Return what the run was made under, with the versions of what it ran on."""
    return Facts(
        began_at=began_at,
        seconds=round(seconds, 1),
        lanes=lanes,
        platform_scale=platform_scale,
        switch_scale=switch_scale,
        commit=_commit(),
        python=platform.python_version(),
        versions={name: metadata.version(name) for name in _PACKAGES},
    )


class Report:
    """Prints to the terminal, with progress where there is one."""

    def __init__(self, *, quiet: bool = False) -> None:
        probe = Console()
        self._console = probe if probe.is_terminal else Console(width=_WIDTH_WITHOUT_TERMINAL)
        self._console.quiet = quiet

    def line(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, highlight=False)

    @contextmanager
    def progress(self, total: int) -> Iterator[Any]:
        """Yield a function that is told of each verdict."""
        shown = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TimeElapsedColumn(), console=self._console, transient=True,
            disable=not self._console.is_terminal,
        )  # fmt: skip
        with shown:
            task = shown.add_task("cases", total=total)
            begun = said_at = time.monotonic()
            counter = itertools.count(1)

            def told(verdict: Verdict) -> None:
                nonlocal said_at
                shown.advance(task)
                played, now = next(counter), time.monotonic()
                if not self._console.is_terminal and now - said_at > _LINE_EVERY_SECONDS:
                    said_at = now
                    self.line(f"  case {played} of {total}, {now - begun:.0f} s")
                if not verdict.passed:
                    shown.console.print(f"[red]✗ {verdict.case.id}[/] {verdict.case.title}")

            yield told

    def table(self, verdicts: Sequence[Verdict]) -> None:
        """Print every case with its verdict, then how many passed in each role."""
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for name in ("case", "", "what", "s"):
            table.add_column(name, justify="right" if name == "s" else "left", no_wrap=True)
        for verdict in verdicts:
            mark = "[green]✓[/]" if verdict.passed else "[bold red]✗[/]"
            table.add_row(verdict.case.id, mark, verdict.case.title, f"{verdict.seconds:.1f}")
        self._console.print(table)
        for verdict in verdicts:
            if not verdict.passed:
                self.line(f"[bold red]✗ {verdict.case.id} {verdict.case.title}[/]")
                self._console.print(f"    {verdict.reason}", highlight=False, markup=False)
        self._sums(verdicts)

    def _sums(self, verdicts: Sequence[Verdict]) -> None:
        all_of = Counter(verdict.case.role for verdict in verdicts)
        passed = Counter(verdict.case.role for verdict in verdicts if verdict.passed)
        for role, name in ROLE_NAMES.items():
            self.line(f"  {name:<12} {passed[role]:>4} of {all_of[role]}")
        total = sum(passed.values())
        word = "[bold green]passed[/]" if total == len(verdicts) else "[bold red]FAILED[/]"
        self.line(f"  {'all':<12} {total:>4} of {len(verdicts)}  {word}")


def catalogue(cases: Sequence[Case]) -> list[dict[str, str]]:
    """Return the cases' own text."""
    return [
        {
            "id": case.id,
            "role": ROLE_NAMES[case.role],
            "title": case.title,
            "given": case.given,
            "when": case.when,
            "then": case.then,
            "source": case.source,
        }
        for case in cases
    ]


def write_json(path: Path, run: Facts, verdicts: Sequence[Verdict]) -> None:
    """Write the run as one JSON document."""
    cases = [
        text
        | {
            "verdict": "passed" if verdict.passed else "failed",
            "reason": verdict.reason,
            "seconds": round(verdict.seconds, 2),
            "findings": [asdict(finding) for finding in verdict.findings],
            "transactions": verdict.transaction_ids,
        }
        for text, verdict in zip(
            catalogue([verdict.case for verdict in verdicts]), verdicts, strict=True
        )
    ]
    summary = {"passed": sum(v.passed for v in verdicts), "cases": len(verdicts)}
    document = {"run": asdict(run), "summary": summary, "cases": cases}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def began_at() -> str:
    """Return now, as a report writes it."""
    return clock.iso(clock.now())


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 - git is found by its name
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip()
