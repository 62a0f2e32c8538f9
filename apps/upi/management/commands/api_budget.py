"""Show how much of each API's budget is used."""

import dataclasses
from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand

from apps.common import clock
from apps.upi import budget_report, selectors
from apps.upi.budget_report import BudgetLine

_ROW = "{:<16} {:<12} {:>6} {:>8} {:>8} {:>8} {:>8} {:>6}  {:<12} {}"
_TITLES = ("API", "counted by", "cap", "window", "today", "window", "busiest", "spent", "peak", "")
_HOUR_SECONDS = 3600


class Command(BaseCommand):
    """Print use against cap of every bounded API, as of now."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the form of the report."""
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, **options: Any) -> None:
        """Ask, then print."""
        now = clock.now()
        lines = budget_report.budget(at=now)
        hours = selectors.peak_hours(at=now)
        is_peak = selectors.peak_ends(hours, at=now) is not None
        if options["json"]:
            document = {
                "as_of": clock.iso(now),
                "is_peak": is_peak,
                "peak_hours": [str(row) for row in hours],
                "apis": [dataclasses.asdict(line) for line in lines],
            }
            self.stdout.write(orjson.dumps(document).decode())
            return
        self.stdout.write(f"API budget as of {clock.iso(now)}{', in peak hours' * is_peak}")
        self.stdout.write(_ROW.format(*_TITLES).rstrip())
        for line in lines:
            self.stdout.write(_row(line))


def _row(line: BudgetLine) -> str:
    return _ROW.format(
        f"{line.api} {line.direction.lower()}",
        line.subject_kind.lower(),
        "-" if line.cap is None else line.cap,
        f"{line.window_seconds / _HOUR_SECONDS:g} h",
        line.used_today,
        line.used_in_window,
        line.used_most,
        line.subjects_spent,
        line.peak_rule.lower().replace("_", " "),
        line.source,
    )
