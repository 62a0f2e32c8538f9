"""Make the months of fat tables ahead; archive those whose time is over, and restore them."""

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog
from django.db import connections

from apps.common import clock, partition_files, partition_tables
from apps.common.partition_files import ArchiveBrokenError, Manifest
from apps.common.partition_tables import ALIAS, Month, patiently
from apps.common.partitions import MONTHS_AHEAD, months
from apps.operators.errors import PartitionsBusyError
from apps.operators.services import audit

log = structlog.get_logger(__name__)

ACTOR = "partitions"
# One number for the one job of a database: two would archive the same month.
# It is the session's, for the work has many transactions; the owner's connection knows no pooler.
_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('operators.partitions', 0))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended('operators.partitions', 0))"


@dataclass(frozen=True, slots=True)
class Retention:
    """
    How long a table's months stay in the database, and why; then they are archived.

    `needed` is a condition on a row `part`: a month with such a row stays, however old it is.
    """

    months: int
    reason: str
    needed: str


def make_ahead(*, now: dt.datetime) -> dict[str, list[str]]:
    """
    Make the partitions of this month and of those to come; return what was made, by table.

    Rows in a DEFAULT partition move into their months. The audit log says what was made.
    """
    made: dict[str, list[str]] = {}
    with alone():
        for table in partition_tables.partitioned_tables():
            suffixes = patiently(
                lambda table=table: partition_tables.make_months(  # type: ignore[misc]
                    table, first=now.date(), count=MONTHS_AHEAD
                )
            )
            if suffixes:
                made[table] = suffixes
                audit.record(
                    actor=ACTOR, action="partitions.made", target=table, detail={"months": suffixes}
                )
    return made


def archive_due(
    retentions: Mapping[str, Retention], folder: Path, *, now: dt.datetime
) -> list[Manifest]:
    """
    Archive each month that is older than its table's retention and that nothing open needs.

    Detach, write, read back, compare with the table, audit, drop, in this order: a run that died
    is taken up where it stopped. A table without a retention keeps all its months.
    """
    done = []
    with alone():
        for table, retention in retentions.items():
            for month in partition_tables.months_of(table):
                if _is_due(month, retention, now=now):
                    manifest = _archive(month, retention, folder)
                    done += [manifest] if manifest else []
    return done


def restore(table: str, suffix: str, folder: Path, *, keep_days: int, now: dt.datetime) -> Manifest:
    """
    Attach an archived month again, checked; it is not archived again for so many days.

    Raises ArchiveBrokenError when the archive is not whole or the month is there.
    """
    manifest = partition_files.read_manifest(folder, table=table, suffix=suffix)
    year, number = map(int, suffix.split("_"))
    [(_, start, end)] = months(dt.date(year, number, 1), 1)
    until = clock.business_date(now) + dt.timedelta(days=keep_days)
    month = Month(table, suffix, start, end, is_attached=False, kept_until=until)
    with alone():
        if month.name in {each.name for each in partition_tables.months_of(table)}:
            raise ArchiveBrokenError(f"{month.name} is in the database")
        partition_files.check(folder, manifest)
        with partition_tables.made_anew(month, kept_until=until):
            partition_files.fill(folder, manifest, month)
            if not partition_files.is_of(manifest, month):
                raise ArchiveBrokenError(f"{month.name} is not what was archived")
        _audit("partitions.restored", manifest, kept_until=until.isoformat())
    return manifest


def _is_due(month: Month, retention: Retention, *, now: dt.datetime) -> bool:
    if month.kept_until is not None and month.kept_until >= clock.business_date(now):
        return False
    return not month.is_attached or month.end <= _months_before(now, retention.months)


def _months_before(now: dt.datetime, count: int) -> dt.datetime:
    number = now.year * 12 + now.month - 1 - count
    return dt.datetime(number // 12, number % 12 + 1, 1, tzinfo=dt.UTC)


def _archive(month: Month, retention: Retention, folder: Path) -> Manifest | None:
    """Archive a month and return its manifest; None when something open needs it."""
    if month.is_attached:
        if partition_tables.has_rows(month, condition=retention.needed):
            log.info("partition_still_needed", partition=month.name)
            return None
        patiently(lambda: partition_tables.detach(month))
    month = Month(month.table, month.suffix, month.start, month.end, False, None)  # noqa: FBT003
    # Between the question and the lock somebody may have begun to need it.
    if partition_tables.has_rows(month, condition=retention.needed):
        patiently(lambda: partition_tables.attach(month))
        return None
    manifest = _kept(folder, month) or partition_files.write(folder, month)
    partition_files.check(folder, manifest)
    if not partition_files.is_of(manifest, month):
        raise ArchiveBrokenError(f"the archive of {month.name} is not of its rows")
    _audit("partitions.archived", manifest, reason=retention.reason)
    partition_tables.drop(month)
    return manifest


def _kept(folder: Path, month: Month) -> Manifest | None:
    """Return the manifest of a month that was restored, or whose run died before the drop."""
    path = partition_files.manifest_path(folder, table=month.table, suffix=month.suffix)
    if not path.exists():
        return None
    manifest = partition_files.read_manifest(folder, table=month.table, suffix=month.suffix)
    return manifest if partition_files.is_of(manifest, month) else None


def _audit(action: str, manifest: Manifest, **more: str) -> None:
    audit.record(
        actor=ACTOR,
        action=action,
        target=f"{manifest.table}_{manifest.month}",
        detail={"rows": manifest.rows, "sha256": manifest.sha256, **more},
    )


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Keep other runs out. Raises PartitionsBusyError when one is at it."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(_LOCK)
        if cursor.fetchone() != (True,):
            raise PartitionsBusyError("another run is at it")
        try:
            yield
        finally:
            cursor.execute(_UNLOCK)
