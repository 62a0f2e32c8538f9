"""Hold the scores that came with debits against the bank's thresholds."""

import datetime as dt
from collections.abc import Sequence

from apps.common.clock import business_date
from apps.risk import selectors
from apps.upi.contracts import RiskScore


def are_too_high(debits: Sequence[tuple[Sequence[RiskScore], dt.datetime]]) -> list[bool]:
    """
    Say of each debit whether one of its scores reaches the threshold of its day.

    A score from a source, or of a kind, that no rule names says nothing.
    """
    days = {business_date(at) for scores, at in debits if scores}
    thresholds = {day: selectors.score_thresholds(day) for day in days}
    return [
        any(_reaches(score, thresholds[business_date(at)]) for score in scores)
        for scores, at in debits
    ]


def _reaches(score: RiskScore, thresholds: dict[tuple[str, str], int]) -> bool:
    threshold = thresholds.get((score.provider, score.type))
    return threshold is not None and int(score.value) >= threshold
