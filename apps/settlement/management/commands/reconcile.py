"""`manage.py reconcile`: hold a day of our books against the switch's day file."""

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.common import clock
from apps.common.money import Money
from apps.settlement.contracts import Reconciliation
from apps.settlement.errors import DayFileInvalidError
from apps.settlement.services.reconcile import reconcile
from apps.settlement.services.take_file import take_file

TIMEOUT_SECONDS = 30.0
BREAKS = 1


class Command(BaseCommand):
    """Take the file as proof, compare, print the breaks by kind; code 1 if there are any."""

    help = "Compare legs and transfers with the switch's day file, and print breaks by kind."

    def add_arguments(self, parser: CommandParser) -> None:
        """Read the day, and where its file is."""
        parser.add_argument("--date", type=dt.date.fromisoformat, help="Indian day; today if none")
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--dayfile", type=Path, help="the file")
        source.add_argument("--switch-control", help="address at which a sandbox writes it")

    def handle(self, *_: Any, **options: Any) -> None:
        """Take, compare, print."""
        now = clock.now()
        date = options["date"] or clock.business_date(now)
        content = _content(options["dayfile"], options["switch_control"], date)
        is_complete = date < clock.business_date(now)
        try:
            rows = take_file(content, date=date, is_complete=is_complete)
        except DayFileInvalidError as error:
            raise CommandError(f"{error.title}: {error.detail}", returncode=2) from error
        found = reconcile(rows, date=date, now=now)
        self._print(found)
        if found.breaks:
            raise SystemExit(BREAKS)

    def _print(self, found: Reconciliation) -> None:
        self.stdout.write(f"{found.date}: {found.rows} rows in the file, {found.matched} matched")
        kinds = Counter(each.kind for each in found.breaks)
        for kind, count in sorted(kinds.items()):
            of_kind = [each for each in found.breaks if each.kind == kind]
            exposure = Money(sum(each.exposure.paise for each in of_kind))
            self.stdout.write(f"\n{kind}: {count}, exposure {exposure.display()}")
            for each in of_kind:
                self.stdout.write(
                    f"  {each.transaction_id}  {each.rrn or '-':12}"
                    f"  {each.exposure.display():>14}  {each.detail}"
                )
        self.stdout.write("\nno breaks" if not found.breaks else f"\n{len(found.breaks)} breaks")


def _content(file: Path | None, control: str | None, date: dt.date) -> bytes:
    if file is not None:
        try:
            return file.read_bytes()
        except OSError as error:
            raise CommandError(f"the day file cannot be read: {error.strerror}") from error
    try:
        answer = httpx.get(
            f"{control}/dayfile", params={"date": date.isoformat()}, timeout=TIMEOUT_SECONDS
        ).raise_for_status()
    except httpx.HTTPError as error:
        raise CommandError(f"the switch gave no day file: {error}") from error
    return answer.content
