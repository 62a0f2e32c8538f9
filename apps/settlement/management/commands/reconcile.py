"""`manage.py reconcile`: hold a day of our books against the switch's day file."""

import datetime as dt
from pathlib import Path
from typing import Any

import httpx
import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.common import clock
from apps.settlement import report
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
            told = orjson.dumps(report.document(found), option=orjson.OPT_INDENT_2).decode()
            self.stdout.write(told)
        else:
            self.stdout.write("\n".join(report.text_of(found, is_over=is_over)))
        if found.breaks:
            raise SystemExit(BREAKS)


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
