"""Remove rows past their time from history that has no months, as the database's owner."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connections, transaction
from psycopg import sql

from apps.common import clock
from apps.common.partition_tables import ALIAS, patiently
from apps.operators.services import audit
from apps.operators.services.partition_months import ACTOR, alone

BATCH = 5_000

# The guard refuses DELETE to the owner too. Setting it aside locks writers out until the commit,
# so that nobody else ever meets the table without it; readers go on.
_LOCK_WAIT = "SET LOCAL lock_timeout = '500ms'"
_GUARD = "ALTER TABLE {} {} TRIGGER append_only"
_REMOVE = """
    DELETE FROM {table} WHERE id IN (
        SELECT part.id FROM {table} AS part WHERE {over} ORDER BY part.id LIMIT %(limit)s)
"""


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
            while rows := patiently(
                lambda: _remove(table, retention, before)  # noqa: B023 - called at once
            ):
                removed[table] = removed.get(table, 0) + rows
    return removed


def _remove(table: str, retention: RowRetention, before: dt.date) -> int:
    name = sql.Identifier(table)
    remove = sql.SQL(_REMOVE).format(table=name, over=sql.SQL(retention.over))
    with transaction.atomic(using=ALIAS), connections[ALIAS].cursor() as cursor:
        cursor.execute(_LOCK_WAIT)
        cursor.execute(sql.SQL(_GUARD).format(name, sql.SQL("DISABLE")))
        cursor.execute(remove, {"before": before, "limit": BATCH})
        rows = int(cursor.rowcount)
        cursor.execute(sql.SQL(_GUARD).format(name, sql.SQL("ENABLE")))
        if rows:
            # Before the commit: a run that dies here leaves an entry too many, never one too few.
            audit.record(
                actor=ACTOR,
                action="rows.removed",
                target=table,
                detail={"rows": rows, "before": before.isoformat(), "reason": retention.reason},
            )
    return rows
