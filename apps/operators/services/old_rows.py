"""Remove rows past their time from history that has no months, as the database's owner."""

import datetime as dt
import functools
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connections
from psycopg import sql

from apps.common import clock
from apps.common.partition_tables import ALIAS, locked, patiently
from apps.operators.services import audit
from apps.operators.services.partition_months import ACTOR, alone

BATCH = 5_000

_OVER = "SELECT part.id FROM {table} AS part WHERE {over} ORDER BY part.id LIMIT %(limit)s"
# The guard refuses DELETE to the owner too. Setting it aside locks writers out until the commit,
# so that nobody else ever meets the table without it; readers go on.
_GUARD = "ALTER TABLE {table} {verb} TRIGGER append_only"
_REMOVE = "DELETE FROM {table} WHERE id = ANY(%s)"


@dataclass(frozen=True, slots=True)
class RowRetention:
    """
    How many days a table's rows stay, and why.

    `over` is a condition on a row `part` that may go; `%(before)s` is the first day that stays.
    """

    days: int
    reason: str
    over: str


def remove_old(retentions: Mapping[str, RowRetention], *, now: dt.datetime) -> dict[str, int]:
    """Remove the rows whose time is over, batch by batch; return how many, by table."""
    removed: dict[str, int] = {}
    with alone():
        for table, retention in retentions.items():
            before = clock.business_date(now) - dt.timedelta(days=retention.days)
            while row_ids := _over(table, retention, before):
                # A run that dies after this leaves an entry too many, never one too few; that of
                # the next run names the same rows.
                audit.record(
                    actor=ACTOR,
                    action="rows.removed",
                    target=table,
                    detail={
                        "rows": len(row_ids),
                        "first_id": row_ids[0],
                        "last_id": row_ids[-1],
                        "before": before.isoformat(),
                        "reason": retention.reason,
                    },
                )
                patiently(functools.partial(_remove, table, row_ids))
                removed[table] = removed.get(table, 0) + len(row_ids)
    return removed


def _over(table: str, retention: RowRetention, before: dt.date) -> list[int]:
    """Return the next rows to go: a search keeps no writer out."""
    statement = sql.SQL(_OVER).format(table=sql.Identifier(table), over=sql.SQL(retention.over))
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(statement, {"before": before, "limit": BATCH})
        return [row_id for (row_id,) in cursor.fetchall()]


def _remove(table: str, row_ids: list[int]) -> None:
    name = sql.Identifier(table)
    with locked() as cursor:
        cursor.execute(sql.SQL(_GUARD).format(table=name, verb=sql.SQL("DISABLE")))
        cursor.execute(sql.SQL(_REMOVE).format(table=name), [row_ids])
        cursor.execute(sql.SQL(_GUARD).format(table=name, verb=sql.SQL("ENABLE")))
