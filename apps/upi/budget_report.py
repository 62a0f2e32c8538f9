"""How much of each API's budget is used: for operators, and for the yearly audit."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection

from apps.common.clock import business_date, day_start
from apps.upi import selectors
from apps.upi.budget_models import CAPPED_FOR_OTHERS, ApiCap, GovernedApi
from apps.upi.services import governor

_USES = """
    SELECT count(*) FILTER (WHERE used_at >= %(today)s),
           count(*) FILTER (WHERE used_at > %(since)s),
           (SELECT max(uses) FROM (SELECT count(*) AS uses FROM upi_api_use
                                    WHERE direction = %(direction)s::text AND api = %(api)s
                                      AND subject_kind = %(kind)s::text AND used_at > %(since)s
                                    GROUP BY subject) AS subject),
           (SELECT count(*) FROM (SELECT 1 FROM upi_api_use
                                   WHERE direction = %(direction)s::text AND api = %(api)s
                                     AND subject_kind = %(kind)s::text AND used_at > %(since)s
                                   GROUP BY subject HAVING count(*) >= %(cap)s) AS subject)
      FROM upi_api_use
     WHERE direction = %(direction)s::text AND api = %(api)s AND subject_kind = %(kind)s::text
       AND used_at > least(%(today)s, %(since)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLine:
    """
    One API's rule and its use.

    `used_most` is the use of the busiest subject within the window, which the cap bounds;
    `subjects_spent` is how many have nothing left.
    """

    api: str
    direction: str
    subject_kind: str
    cap: int | None
    window_seconds: int
    peak_rule: str
    source: str
    used_today: int
    used_in_window: int
    used_most: int
    subjects_spent: int


def budget(*, at: dt.datetime) -> list[BudgetLine]:
    """Return a line for each cap of the day: ours in the order of the circulars, then others'."""
    caps = selectors.api_caps(list(GovernedApi), at=at)
    ours = [caps[api] for api in GovernedApi if api in caps]
    others = [cap for api in CAPPED_FOR_OTHERS for cap in selectors.caps_on_others(api, at=at)]
    return [line(cap, at=at) for cap in (*ours, *others)]


def line(cap: ApiCap, *, at: dt.datetime) -> BudgetLine:
    """Return how much of one API's budget is used."""
    parameters: dict[str, Any] = {
        "api": cap.api,
        "direction": cap.direction,
        "kind": cap.subject_kind,
        "cap": cap.cap,
        "today": day_start(business_date(at)),
        "since": at - governor.span(cap),
    }
    with connection.cursor() as cursor:
        cursor.execute(_USES, parameters)
        row = cursor.fetchone()
    assert row is not None, "a count has a row"
    return BudgetLine(
        api=cap.api,
        direction=cap.direction,
        subject_kind=cap.subject_kind,
        cap=cap.cap,
        window_seconds=cap.window_seconds,
        peak_rule=cap.peak_rule,
        source=cap.source,
        used_today=row[0],
        used_in_window=row[1],
        used_most=row[2] or 0,
        subjects_spent=row[3],
    )
