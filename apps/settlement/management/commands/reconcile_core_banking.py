"""`manage.py reconcile_core_banking`: hold a business day against the core-banking host's file."""

import datetime as dt
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.common import clock
from apps.common.errors import DomainError
from apps.settlement import report
from apps.settlement.errors import HostFileUnavailableError
from apps.settlement.host_selectors import has_host
from apps.settlement.services.host_days import fetch_host_file
from apps.settlement.services.reconcile_host import reconcile_host
from apps.settlement.services.take_host_file import take_host_file

_DAY = dt.timedelta(days=1)
BREAKS, UNREADABLE = 1, 2


class Command(BaseCommand):
    """
    Take the host's file as proof, end what files prove, compare, print the breaks by kind.

    Ends with code 1 if there are any, with 2 if the file cannot be had or is refused.
    """

    help = "Compare calls, legs and books with the core-banking host's day file."

    def add_arguments(self, parser: CommandParser) -> None:
        """Read the day, and where its file is."""
        parser.add_argument(
            "--date", type=dt.date.fromisoformat, help="the host's business day; yesterday if none"
        )
        parser.add_argument("--dayfile", type=Path, help="the file; fetched from the host if none")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *_: Any, **options: Any) -> None:
        """Fetch, take, compare, print."""
        if not has_host():
            self.stdout.write("our own books are core banking: there is no host to reconcile with")
            return
        now = clock.now()
        date = options["date"] or clock.business_date(now) - _DAY
        try:
            ended = take_host_file(_content(options["dayfile"], date), date=date, now=now)
        except DomainError as error:
            text = f"{error.code}: {error.detail}"
            raise CommandError(text, returncode=UNREADABLE) from error
        found = reconcile_host(date=date)
        if options["json"]:
            told = report.document(found) | {"ended": ended}
            self.stdout.write(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
        else:
            self.stdout.write(f"{ended} postings of unknown outcome ended by proof")
            self.stdout.write("\n".join(report.text_of(found)))
        if found.breaks:
            raise SystemExit(BREAKS)


def _content(file: Path | None, date: dt.date) -> bytes:
    if file is None:
        return fetch_host_file(date)
    try:
        return file.read_bytes()
    except OSError as error:
        raise HostFileUnavailableError(f"the file cannot be read: {error.strerror}") from error
