"""`manage.py reconcile`: hold a day of our books against the switch's day file."""

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.common import clock
from apps.common.money import Money
from apps.settlement.contracts import Reconciliation
from apps.settlement.errors import DayFileInvalidError
from apps.settlement.services.reconcile import reconcile
from apps.settlement.services.take_file import take_file

TIMEOUT_SECONDS = 30.0
BREAKS, UNREADABLE = 1, 2


class Command(BaseCommand):
    """
    Take the file as proof, compare, print the breaks by kind.

    Ends with code 1 if there are any, with 2 if the file cannot be had or is refused.
    """

    help = "Compare legs and transfers with the switch's day file, and print breaks by kind."

    def add_arguments(self, parser: CommandParser) -> None:
        """Read the day, and where its file is."""
        parser.add_argument("--date", type=dt.date.fromisoformat, help="Indian day; today if none")
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--dayfile", type=Path, help="the file")
        source.add_argument("--switch-control", help="address at which a sandbox writes it")
        parser.add_argument(
            "--complete",
            action="store_true",
            help="vouch that the file has all roles of a day that is over: then what it does not "
            "name is proved, with the next day's, not to have happened",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *_: Any, **options: Any) -> None:
        """Take, compare, print."""
        now = clock.now()
        date = options["date"] or clock.business_date(now)
        content = _content(options["dayfile"], options["switch_control"], date)
        is_over = date < clock.business_date(now)
        try:
            rows = take_file(content, date=date, is_complete=is_over and options["complete"])
        except DayFileInvalidError as error:
            raise CommandError(f"{error.title}: {error.detail}", returncode=UNREADABLE) from error
        found = reconcile(rows, date=date, now=now)
        if options["json"]:
            self.stdout.write(orjson.dumps(_document(found), option=orjson.OPT_INDENT_2).decode())
        else:
            self._print(found, is_over=is_over)
        if found.breaks:
            raise SystemExit(BREAKS)

    def _print(self, found: Reconciliation, *, is_over: bool) -> None:
        self.stdout.write(f"{found.date}: {found.rows} rows in the file, {found.matched} matched")
        if not is_over:
            self.stdout.write("the day still runs: what has not ended is left for the next time")
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
            text = f"the day file cannot be read: {error.strerror}"
            raise CommandError(text, returncode=UNREADABLE) from error
    try:
        answer = httpx.get(
            f"{control}/dayfile", params={"date": date.isoformat()}, timeout=TIMEOUT_SECONDS
        ).raise_for_status()
    except httpx.HTTPError as error:
        text = f"the switch gave no day file: {error}"
        raise CommandError(text, returncode=UNREADABLE) from error
    return answer.content


def _document(found: Reconciliation) -> dict[str, Any]:
    return {
        "date": found.date.isoformat(),
        "rows": found.rows,
        "matched": found.matched,
        "breaks": [
            {
                "kind": each.kind,
                "txn_id": each.transaction_id,
                "rrn": each.rrn,
                "exposure_paise": each.exposure.paise,
                "detail": each.detail,
            }
            for each in found.breaks
        ],
    }
