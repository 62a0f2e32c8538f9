"""What was declined on each day, by code and class: the figures by which NPCI judges banks."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from apps.common.clock import IST
from apps.payments.states import Role
from apps.upi.response_codes import explain

DAYS_MAX = 31

# The partial index of ended legs names these states: what was approved is never looked at.
_DECLINES = """
    SELECT (changed_at AT TIME ZONE 'Asia/Kolkata')::date AS day, role, code, count(*)
      FROM payments_leg
     WHERE state IN ('DECLINED', 'REFUSED', 'FAILED') AND code <> ''
       AND changed_at >= %(begin)s AND changed_at < %(end)s
     GROUP BY day, role, code
"""


@dataclass(frozen=True, slots=True)
class Declines:
    """
    How many legs of a role ended with a code on an Indian day.

    `code` is the inner one, which decides, and `kind` its class: "TD", "BD" or "".
    """

    date: dt.date
    role: Role
    code: str
    kind: str
    meaning: str
    count: int


def declines(*, first: dt.date, last: dt.date) -> Sequence[Declines]:
    """Return what was declined from one Indian day to another, the newest and most first."""
    assert first <= last < first + dt.timedelta(days=DAYS_MAX), "a report is bounded"
    begin = dt.datetime.combine(first, dt.time(), IST)
    end = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), IST)
    counted: Counter[tuple[dt.date, str, str, str, str]] = Counter()
    with connection.cursor() as cursor:
        cursor.execute(_DECLINES, {"begin": begin, "end": end})
        # Compounds of one inner code are one: the switch's code before it is no reason.
        for day, role, code, count in cursor.fetchall():
            words = explain(code)
            counted[day, role, words.inner_code, words.kind, words.meaning] += count
    rows = [
        Declines(day, Role(role), code, kind, meaning, count)
        for (day, role, code, kind, meaning), count in counted.items()
    ]
    rows.sort(key=lambda row: (-row.date.toordinal(), -row.count, row.role, row.code))
    return rows
