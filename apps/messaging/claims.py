"""
Take work that is due, for a while.

A work table has the columns `id, state, claim uuid, next_action_at timestamptz, attempts smallint,
parked_at timestamptz` and a partial index on (next_action_at) WHERE next_action_at IS NOT NULL.
A claimed row is simply due again when its lease ends: whoever died with it needs no undertaker.
All times are the database's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from psycopg import sql

from apps.common import ids
from apps.messaging.contracts import Claim
from apps.messaging.models import DeadLetter

log = structlog.get_logger(__name__)

T = TypeVar("T")
R = TypeVar("R")

CLAIM_ROWS_MAX = 1000
BACKOFF_FIRST_SECONDS = 1
BACKOFF_MAX_SECONDS = 60

# The time is asked once, in a sub-select: clock_timestamp() in the condition itself would be asked
# for every row and keep the index from being used.
_CLAIM = sql.SQL("""
    WITH due AS MATERIALIZED (
        SELECT id FROM {table}
         WHERE next_action_at <= (SELECT clock_timestamp())
           AND state = ANY(%(states)s) AND parked_at IS NULL
         ORDER BY {order_by} LIMIT %(limit)s
           FOR NO KEY UPDATE SKIP LOCKED)
    UPDATE {table} AS work
       SET claim = %(token)s,
           next_action_at = clock_timestamp() + make_interval(secs => %(lease)s)
      FROM due WHERE work.id = due.id
    RETURNING work.id
""")

_RELEASE = sql.SQL("""
    UPDATE {table} SET claim = NULL,
           next_action_at = clock_timestamp() + make_interval(secs => %(delay)s)
     WHERE id = ANY(%(ids)s) AND claim = %(token)s RETURNING id
""")

_FAIL = sql.SQL("""
    UPDATE {table} SET claim = NULL, attempts = attempts + 1,
           parked_at = CASE WHEN attempts + 1 >= %(attempts_max)s THEN clock_timestamp() END,
           next_action_at = CASE WHEN attempts + 1 < %(attempts_max)s THEN clock_timestamp()
               + make_interval(secs => least(%(first)s * 2 ^ attempts, %(longest)s)) END
     WHERE id = ANY(%(ids)s) AND claim = %(token)s RETURNING id, parked_at IS NOT NULL
""")

_PARK = """
    INSERT INTO messaging_deadletter (source, item_id, subject, sequence, reason, owner, is_waiting)
    SELECT %s, item, '', 0, %s, %s, false FROM unnest(%s::text[]) AS item
    ON CONFLICT (source, item_id) WHERE resolved_at IS NULL DO NOTHING
"""

_UNPARK = sql.SQL("""
    UPDATE {table} SET parked_at = NULL, attempts = 0, claim = NULL,
           next_action_at = clock_timestamp()
     WHERE id = ANY(%(ids)s) AND parked_at IS NOT NULL RETURNING id
""")


def claim_due(
    *,
    table: str,
    states: Sequence[str],
    limit: int,
    lease_seconds: float,
    order_by: str = "next_action_at",
) -> Claim:
    """
    Claim up to `limit` due rows of a work table; rows that others hold are passed over.

    Commits with the caller's transaction, or at once when none is open.
    """
    assert 0 < limit <= CLAIM_ROWS_MAX, f"a claim is bounded: {limit}"
    token = ids.uuid7()
    statement = _CLAIM.format(table=sql.Identifier(table), order_by=sql.Identifier(order_by))
    parameters = {"states": list(states), "limit": limit, "token": token, "lease": lease_seconds}
    rows = _run(statement, parameters)
    return Claim(table=table, token=token, ids=tuple(row[0] for row in rows))


def release(claim: Claim, row_ids: Sequence[Any], *, delay_seconds: float = 0) -> None:
    """Give rows back that were not worked on; they are due again after the delay."""
    statement = _RELEASE.format(table=sql.Identifier(claim.table))
    _run(statement, {"ids": list(row_ids), "token": claim.token, "delay": delay_seconds})


def fail(
    claim: Claim,
    row_ids: Sequence[Any],
    *,
    reason: str,
    owner: str = "operations",
    attempts_max: int | None = None,
) -> list[Any]:
    """
    Count an attempt at rows that fail alone: they wait longer each time, and are parked at last.

    A parked row has a dead letter with `reason` and `owner`. Return the ids parked now. The
    caller holds a transaction when both must be one.
    """
    statement = _FAIL.format(table=sql.Identifier(claim.table))
    parameters = {
        "ids": list(row_ids),
        "token": claim.token,
        "attempts_max": attempts_max or settings.CLAIM_ATTEMPTS_MAX,
        "first": BACKOFF_FIRST_SECONDS,
        "longest": BACKOFF_MAX_SECONDS,
    }
    parked = [row_id for row_id, is_parked in _run(statement, parameters) if is_parked]
    if parked:
        with connection.cursor() as cursor:
            items = [str(row_id) for row_id in parked]
            cursor.execute(_PARK, [claim.table, reason, owner, items])
        log.error("work_parked", table=claim.table, rows=len(parked), reason=reason, owner=owner)
    return parked


def unpark(*, table: str, row_ids: Sequence[Any]) -> list[Any]:
    """
    Let parked rows be worked on again, from the first attempt, and close their dead letters.

    Return those that were parked.
    """
    rows = _run(_UNPARK.format(table=sql.Identifier(table)), {"ids": list(row_ids)})
    unparked = [row[0] for row in rows]
    letters = DeadLetter.objects.filter(source=table, item_id__in=[str(item) for item in unparked])
    letters.filter(resolved_at__isnull=True).update(resolved_at=Now())
    return unparked


@dataclass(frozen=True, slots=True)
class Bisected(Generic[T, R]):
    """What became of a batch: results of the parts that worked, and the items that fail alone."""

    results: list[R]
    failures: list[tuple[T, Exception]]


def bisect(
    batch: Sequence[T],
    work: Callable[[Sequence[T]], R],
    *,
    outages: tuple[type[Exception], ...],
) -> Bisected[T, R]:
    """
    Work a batch; when it errs, halve it until each item works or has failed by itself.

    `work` must leave nothing behind when it raises (one transaction). An error of a type in
    `outages` means that a dependency is away: it is raised at once, for halving would not help.
    """
    results: list[R] = []
    failures: list[tuple[T, Exception]] = []
    parts = [batch] if batch else []
    while parts:
        part = parts.pop()
        try:
            results.append(work(part))
        except outages:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a row's content does, it parks alone
            if len(part) == 1:
                failures.append((part[0], error))
            else:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
    return Bisected(results=results, failures=failures)


def _run(statement: sql.Composed, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
