"""
Begin and end what holds from one instant until another, by an operator's word.

Such rows may overlap: of two orders that restrict one account, the end of one leaves the other.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.db import connection, models, transaction
from django.db.models import F, Q

from apps.operators.contracts import Author, Span
from apps.operators.errors import (
    BeginsInThePastError,
    ChangedMeanwhileError,
    EndsBeforeItBeginsError,
    NothingChangesError,
)
from apps.operators.services import audit

M = TypeVar("M", bound=models.Model)

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('dated_spans.' || %s, 0))"
# Between a page and its confirmation minutes pass; "from now" is then a little ago.
_NOW_SINCE = dt.timedelta(minutes=15)


def open_rows(model: type[M], key: Mapping[str, Any], *, now: dt.datetime) -> list[M]:
    """Return the rows under a key that hold now, or will, in the order of their beginnings."""
    rows: models.QuerySet[M] = models.QuerySet(model).filter(**key)
    return list(
        rows.filter(Q(valid_until_at__isnull=True) | Q(valid_until_at__gt=now))
        .exclude(valid_until_at=F("valid_from_at"))
        .order_by("valid_from_at", "pk")
    )


def fingerprint(rows: Sequence[Any]) -> str:
    """Return what tells whether anybody changed the rows since they were looked at."""
    seen = ";".join(f"{row.pk} {row.valid_until_at}" for row in rows)
    return hashlib.sha256(seen.encode()).hexdigest()


@transaction.atomic
def begin(
    model: type[M],
    *,
    key: Mapping[str, Any],
    span: Span,
    target: str,
    author: Author,
    now: dt.datetime,
) -> M:
    """
    Let what the key says hold from an instant (None: now) until another (None: further notice).

    `author.seen` is the fingerprint of the rows that the operator was shown: of two operators at
    once, or of two clicks, the second is refused.

    Raises BeginsInThePastError, EndsBeforeItBeginsError, ChangedMeanwhileError.
    """
    start = check_span(span, now=now)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [model._meta.db_table])
    if fingerprint(open_rows(model, key, now=now)) != author.seen:
        raise ChangedMeanwhileError
    row = model(**key, valid_from_at=start, valid_until_at=span.ends_at, source=author.as_source())
    row.save(force_insert=True)
    _record(model, "begun", target, row, author)
    return row


@transaction.atomic
def end(row: M, *, at: dt.datetime | None, target: str, author: Author, now: dt.datetime) -> M:
    """
    Let a row end at an instant, None: now. One that has not begun never will.

    Raises BeginsInThePastError, ChangedMeanwhileError, NothingChangesError.
    """
    model = type(row)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [model._meta.db_table])
    # Nothing is deleted from these tables, and they change behind the lock alone.
    held: Any = models.QuerySet(model).get(pk=row.pk)
    if fingerprint([held]) != author.seen:
        raise ChangedMeanwhileError
    until = check_end(held, at, now=now)
    held.valid_until_at = max(until, held.valid_from_at)
    held.save(update_fields=["valid_until_at"])
    _record(model, "ended", target, held, author)
    return held  # type: ignore[no-any-return]


def check_span(span: Span, *, now: dt.datetime) -> dt.datetime:
    """
    Return the instant at which it really begins.

    Raises BeginsInThePastError, EndsBeforeItBeginsError.
    """
    start = span.begins_at or now
    if start < now - _NOW_SINCE:
        raise BeginsInThePastError
    start = max(start, now)
    if span.ends_at is not None and span.ends_at <= start:
        raise EndsBeforeItBeginsError
    return start


def check_end(row: Any, at: dt.datetime | None, *, now: dt.datetime) -> dt.datetime:
    """
    Return the instant at which a row really ends.

    Raises BeginsInThePastError, NothingChangesError (it has ended, or ends then anyhow).
    """
    until = at or now
    if until < now - _NOW_SINCE:
        raise BeginsInThePastError
    has_ended = row.valid_until_at is not None and row.valid_until_at <= now
    if has_ended or until == row.valid_until_at:
        raise NothingChangesError
    return max(until, now)


def _record(model: type[M], what: str, target: str, row: Any, author: Author) -> None:
    until = row.valid_until_at
    audit.record(
        actor=author.operator,
        action=f"{model._meta.db_table}_{what}",
        target=target,
        detail={
            "reason": author.reason,
            "id": row.pk,
            "says": str(row),
            "valid_from_at": row.valid_from_at.isoformat(),
            "valid_until_at": None if until is None else until.isoformat(),
        },
        source_address=author.source_address,
    )
