"""The monthly partitions of the fat tables as the database has them, changed by its owner."""

import contextlib
import datetime as dt
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from django.conf import settings
from django.db import OperationalError, connections, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from apps.common.partitions import (
    create_month_sql,
    month_bounds_sql,
    months,
    revoke_change_sql,
)

T = TypeVar("T")

ALIAS = "owner"
# Who makes or detaches a partition keeps everybody from its table: it asks often, never for long.
LOCK_TIMEOUT = "500ms"
RESTORE_LOCK_TIMEOUT = "30s"
LOCK_TRIES_MAX = 20
LOCK_PAUSE_SECONDS = 0.5
_SUFFIX = re.compile(r"_([0-9]{4})_([0-9]{2})$")
_PARENTS = """
    SELECT c.relname FROM pg_class c JOIN pg_partitioned_table p ON p.partrelid = c.oid
     WHERE c.relnamespace = 'public'::regnamespace AND p.partstrat = 'r' ORDER BY 1
"""
_MONTHS = """
    SELECT c.relname, c.relispartition, coalesce(obj_description(c.oid, 'pg_class'), '')
      FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
       AND c.relname ~ ('^' || %s || '_[0-9]{4}_[0-9]{2}$') ORDER BY 1
"""
# The first 48 bits of a UUIDv7 are milliseconds (RFC 9562, 5.7).
_MONTHS_OF_ROWS = """
    SELECT DISTINCT date_trunc('month', to_timestamp(
               ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0)
               AT TIME ZONE 'UTC')::date
      FROM {}
"""
_IS_APPEND_ONLY = """
    SELECT EXISTS (SELECT FROM pg_trigger
                    WHERE tgrelid = to_regclass(quote_ident(%s)) AND tgname = 'append_only')
"""
_LOCK_NOT_AVAILABLE = "55P03"
_RESTORED = "restored, stays attached until "


@dataclass(frozen=True, slots=True)
class Month:
    """One month's partition of a table: attached, or detached and not yet dropped."""

    table: str
    suffix: str
    start: dt.datetime
    end: dt.datetime
    is_attached: bool
    kept_until: dt.date | None

    @property
    def name(self) -> str:
        """The partition's own name."""
        return f"{self.table}_{self.suffix}"


def partitioned_tables() -> list[str]:
    """Return the tables that have a partition for each month."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(_PARENTS)
        return [name for (name,) in cursor.fetchall()]


def months_of(table: str) -> list[Month]:
    """Return the months of a table, oldest first, with those that a job left detached."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(_MONTHS, [table])
        found = cursor.fetchall()
    made = []
    for name, is_attached, comment in found:
        matched = _SUFFIX.search(name)
        assert matched is not None
        [(suffix, start, end)] = months(dt.date(int(matched[1]), int(matched[2]), 1), 1)
        until = comment.removeprefix(_RESTORED) if comment.startswith(_RESTORED) else ""
        kept_until = dt.date.fromisoformat(until) if until else None
        made.append(Month(table, suffix, start, end, is_attached, kept_until))
    return made


def make_months(table: str, *, first: dt.date, count: int) -> list[str]:
    """
    Make the partitions that are missing of `count` months from `first`'s; return their suffixes.

    Rows that were written where nobody had made a month in time move into theirs.
    """
    there = {month.suffix for month in months_of(table)}
    missing = [each for each in months(first, count) if each[0] not in there]
    stray = _stray_months(table)
    if stray:
        missing += [
            found
            for date in stray
            for found in months(date, 1)
            if found[0] not in there and found not in missing
        ]
    if not missing and not stray:
        return []
    with locked() as cursor:
        if stray:
            _set_default_aside(cursor, table)
        for suffix, start, end in missing:
            cursor.execute(create_month_sql(table, suffix, start, end))
        if stray:
            _spread_default(cursor, table)
        _guard(cursor, table)
    return [suffix for suffix, _, _ in missing]


def detach(month: Month) -> None:
    """
    Take a month off its table; it stays as a table by itself, which only the owner reaches.

    Not CONCURRENTLY, which PostgreSQL refuses beside a DEFAULT partition: the lock is asked for
    briefly, again and again.
    """
    with locked() as cursor:
        cursor.execute(f'ALTER TABLE "{month.table}" DETACH PARTITION "{month.name}"')
        cursor.execute(
            sql.SQL("REVOKE ALL ON {} FROM {}").format(
                sql.Identifier(month.name), sql.Identifier(settings.DATABASE_APP_ROLE)
            )
        )


def attach(month: Month) -> None:
    """Give a month that was taken off back to its table."""
    with locked() as cursor:
        _attach(cursor, month)


@contextlib.contextmanager
def made_anew(month: Month, *, kept_until: dt.date) -> Iterator[None]:
    """
    Make an empty table for a month that was dropped; attach it with what the block put into it.

    All of it is one transaction. It is not detached again before the date.
    """
    with transaction.atomic(using=ALIAS), connections[ALIAS].cursor() as cursor:
        cursor.execute(
            f'CREATE TABLE "{month.name}" (LIKE "{month.table}" INCLUDING DEFAULTS '
            "INCLUDING GENERATED INCLUDING CONSTRAINTS)"
        )
        cursor.execute(f"COMMENT ON TABLE \"{month.name}\" IS '{_RESTORED}{kept_until}'")
        yield
        cursor.execute(f"SET LOCAL lock_timeout = '{RESTORE_LOCK_TIMEOUT}'")
        _attach(cursor, month)


def drop(month: Month) -> None:
    """Drop a month that was taken off."""
    assert not month.is_attached, f"{month.name} still belongs to its table"
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(f'DROP TABLE "{month.name}"')


def has_rows(month: Month, *, condition: str) -> bool:
    """Say whether a month has rows, named `part`, for which a condition holds."""
    with connections[ALIAS].cursor() as cursor:
        statement = sql.SQL("SELECT EXISTS (SELECT FROM {} AS part WHERE ").format(
            sql.Identifier(month.name)
        )
        # The condition is the composition root's own text.
        cursor.execute(statement + sql.SQL(condition + ")"))
        (found,) = cursor.fetchone()
        return bool(found)


def _attach(cursor: CursorWrapper, month: Month) -> None:
    bounds = month_bounds_sql(month.start, month.end)
    cursor.execute(f'ALTER TABLE "{month.table}" ATTACH PARTITION "{month.name}" {bounds}')
    _guard(cursor, month.table)


@contextlib.contextmanager
def locked() -> Iterator[CursorWrapper]:
    """Open a transaction of the owner that waits for locks briefly, and is tried again."""
    # What the block does is a handful of statements: the first takes the lock that may be refused.
    with transaction.atomic(using=ALIAS, durable=True), connections[ALIAS].cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        yield cursor


def patiently(change: Callable[[], T]) -> T:
    """Return what a change returns, trying again while the table is busy."""
    for attempt in range(1, LOCK_TRIES_MAX + 1):
        try:
            return change()
        except OperationalError as error:
            is_busy = getattr(error.__cause__, "sqlstate", "") == _LOCK_NOT_AVAILABLE
            if not is_busy or attempt == LOCK_TRIES_MAX:
                raise
            time.sleep(LOCK_PAUSE_SECONDS)
    raise AssertionError("the last try returns or raises")


def _stray_months(table: str) -> list[dt.date]:
    """Return the months of the rows in the DEFAULT partition."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(sql.SQL(_MONTHS_OF_ROWS).format(sql.Identifier(f"{table}_default")))
        return [month for (month,) in cursor.fetchall()]


def _set_default_aside(cursor: CursorWrapper, table: str) -> None:
    cursor.execute(f'ALTER TABLE "{table}" DETACH PARTITION "{table}_default"')


def _spread_default(cursor: CursorWrapper, table: str) -> None:
    # History refuses DELETE, from its owner too: the rows are copied, and the partition emptied.
    cursor.execute(
        sql.SQL("INSERT INTO {} SELECT * FROM {}").format(
            sql.Identifier(table), sql.Identifier(f"{table}_default")
        )
    )
    cursor.execute(f'TRUNCATE "{table}_default"')
    cursor.execute(f'ALTER TABLE "{table}" ATTACH PARTITION "{table}_default" DEFAULT')


def _guard(cursor: CursorWrapper, table: str) -> None:
    """Leave the platform's role on new partitions of history what it has on the others."""
    cursor.execute(_IS_APPEND_ONLY, [table])
    if cursor.fetchone() == (True,):
        cursor.execute(revoke_change_sql(table))
