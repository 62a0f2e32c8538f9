"""
Change dated rules by an operator's word: end the old row, begin a new one, edit none.

A rule holds from `valid_from_date` up to, and without, `valid_to_date`. A row that is replaced
before it ever held ends on the day it begins: it stays to be seen, and never holds.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Q

from apps.common import clock
from apps.operators.contracts import Author
from apps.operators.errors import (
    BeginsInThePastError,
    ChangedMeanwhileError,
    NothingChangesError,
)
from apps.operators.services import audit

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('dated_rules.' || %s, 0))"


def open_rows(model: type[models.Model], key: Mapping[str, Any]) -> list[Any]:
    """Return the rows under a key that hold today, or will, in the order of their days."""
    today = clock.business_date(clock.now())
    rows: models.QuerySet[Any] = models.QuerySet(model).filter(**key)
    return list(
        rows.filter(Q(valid_to_date__isnull=True) | Q(valid_to_date__gt=today))
        .exclude(valid_to_date=models.F("valid_from_date"))
        .order_by("valid_from_date")
    )


def fingerprint(rows: Sequence[Any]) -> str:
    """Return what tells whether anybody changed the rows since they were looked at."""
    seen = ";".join(f"{row.pk} {row.valid_from_date} {row.valid_to_date}" for row in rows)
    return hashlib.sha256(seen.encode()).hexdigest()


@transaction.atomic
def change(
    model: type[models.Model],
    *,
    key: Mapping[str, Any],
    values: Mapping[str, Any] | None,
    begins: dt.date,
    author: Author,
) -> None:
    """
    Let `values` hold under a key from a day on, until further notice; None: no rule from then on.

    What was planned for that day and later does not come. `author.seen` is the fingerprint of the
    rows that the operator decided on: of two operators at once the second is refused.

    Raises BeginsInThePastError, ChangedMeanwhileError, NothingChangesError.
    """
    if begins < clock.business_date(clock.now()):
        raise BeginsInThePastError
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [model._meta.db_table])
    rows = open_rows(model, key)
    if fingerprint(rows) != author.seen:
        raise ChangedMeanwhileError
    later = [row for row in rows if row.valid_to_date is None or row.valid_to_date > begins]
    if _is_so_already(later, values, begins):
        raise NothingChangesError
    before = [_facts(row) for row in later]
    for row in later:
        row.valid_to_date = max(begins, row.valid_from_date)
        row.save(update_fields=["valid_to_date"])
    after = None
    if values is not None:
        after = model(**key, **values, valid_from_date=begins, source=author.as_source())
        after.save(force_insert=True)
    audit.record(
        actor=author.operator,
        action=f"{model._meta.db_table}_changed",
        target=" ".join(str(part) for part in key.values()),
        detail={
            "reason": author.reason,
            "begins": begins.isoformat(),
            "before": before,
            "after": None if after is None else _facts(after),
        },
        source_address=author.source_address,
    )


def _is_so_already(later: Sequence[Any], values: Mapping[str, Any] | None, begins: dt.date) -> bool:
    if values is None:
        return not later
    if len(later) != 1:
        return False
    (row,) = later
    holds = row.valid_from_date <= begins and row.valid_to_date is None
    return holds and all(getattr(row, name) == value for name, value in values.items())


def _facts(row: Any) -> dict[str, str | None]:
    """Return a row as the audit log keeps it."""
    return {
        field.name: None if (value := getattr(row, field.name)) is None else str(value)
        for field in row._meta.concrete_fields
    }
