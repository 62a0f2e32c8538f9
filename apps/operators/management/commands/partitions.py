"""Make the months of the fat tables ahead, archive what is old, restore what was archived."""

import datetime as dt
import re
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections
from django.utils.module_loading import import_string

from apps.common import clock
from apps.common.partition_files import ArchiveBrokenError
from apps.messaging.stopping import stopped_by_signal
from apps.operators.errors import PartitionsBusyError
from apps.operators.services import old_rows, partition_months
from apps.operators.services.partition_months import Retention

log = structlog.get_logger(__name__)

# Months are made a year ahead, so a day without this job costs nothing.
PERIOD_SECONDS = 6 * 3600
KEEP_DAYS = 30
_MONTH = re.compile(r"[0-9]{4}_(0[1-9]|1[0-2])")


class Command(BaseCommand):
    """Runs as the database's owner: the platform's own role cannot drop history."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what to do; `keep` makes and archives, again and again."""
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("make", help="make this month's and the next eleven months' partitions")
        actions.add_parser("archive", help="archive months and remove rows past their time")
        actions.add_parser("keep", help="do both, four times a day")
        restoring = actions.add_parser("restore", help="attach an archived month again")
        restoring.add_argument("table")
        restoring.add_argument("month", help="such as 2026_11")
        restoring.add_argument(
            "--keep-days", type=int, default=KEEP_DAYS, help="how long it then stays"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, or fail with what is in the way."""
        del args
        try:
            self._do(options)
        except (ArchiveBrokenError, PartitionsBusyError) as error:
            raise CommandError(str(error)) from error

    def _do(self, options: Mapping[str, Any]) -> None:
        if options["action"] == "make":
            self._make(now=clock.now())
        elif options["action"] == "archive":
            self._archive(now=clock.now())
        elif options["action"] == "restore":
            self._restore(options["table"], options["month"], keep_days=options["keep_days"])
        else:
            self._keep()

    def _make(self, *, now: dt.datetime) -> None:
        for table, made in partition_months.make_ahead(now=now).items():
            self.stdout.write(f"{table}: made {', '.join(made)}")

    def _archive(self, *, now: dt.datetime) -> None:
        for manifest in partition_months.archive_due(_retentions(), _folder(), now=now):
            self.stdout.write(f"{manifest.table}_{manifest.month}: archived {manifest.rows} rows")
        retentions = import_string(settings.PARTITION_ROW_RETENTIONS)
        for table, rows in old_rows.remove_old(retentions, now=now).items():
            self.stdout.write(f"{table}: removed {rows} rows")

    def _restore(self, table: str, month: str, *, keep_days: int) -> None:
        if table not in _retentions() or not _MONTH.fullmatch(month):
            known = ", ".join(sorted(_retentions()))
            raise CommandError(f"name one of {known}, and a month such as 2026_11")
        manifest = partition_months.restore(
            table, month, _folder(), keep_days=keep_days, now=clock.now()
        )
        self.stdout.write(f"{table}_{month}: restored {manifest.rows} rows")

    def _keep(self) -> None:
        stopped = stopped_by_signal()
        while not stopped.is_set():
            close_old_connections()
            for step in (self._make, self._archive):
                try:
                    step(now=clock.now())
                except (ArchiveBrokenError, PartitionsBusyError, DatabaseError, OSError):
                    log.exception("partitions_failed")
            stopped.wait(PERIOD_SECONDS)


def _retentions() -> Mapping[str, Retention]:
    retentions: Mapping[str, Retention] = import_string(settings.PARTITION_RETENTIONS)
    return retentions


def _folder() -> Path:
    return Path(settings.PARTITION_ARCHIVE_DIRECTORY)
