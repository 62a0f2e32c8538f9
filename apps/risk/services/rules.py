"""Change the limits, and the thresholds of risk scores, by an operator's word."""

import datetime as dt

from apps.operators.contracts import Author
from apps.operators.services import dated_rules
from apps.risk.contracts import RULE_MAX, Rule
from apps.risk.errors import RuleOutOfRangeError
from apps.risk.models import LimitRule, RiskScoreRule

SCORE_MAX = 99_999


def change_limit(rule: Rule, value: int, *, begins: dt.date, author: Author) -> None:
    """
    Let a limit hold from a day on; `value` is paise, or a number of payments.

    Raises RuleOutOfRangeError and the refusals of dated rules.
    """
    if not 0 < value <= RULE_MAX[rule]:
        raise RuleOutOfRangeError
    dated_rules.change(
        LimitRule,
        key={"rule": rule.value},
        values={"value": value},
        begins=begins,
        author=author,
    )


def change_threshold(
    provider: str,
    score_type: str,
    threshold: int | None,
    *,
    begins: dt.date,
    author: Author,
) -> None:
    """
    Decline debits whose score of this kind reaches the threshold, from a day on; None: no longer.

    Raises RuleOutOfRangeError and the refusals of dated rules.
    """
    if threshold is not None and not 0 < threshold <= SCORE_MAX:
        raise RuleOutOfRangeError
    dated_rules.change(
        RiskScoreRule,
        key={"provider": provider, "score_type": score_type},
        values=None if threshold is None else {"threshold": threshold},
        begins=begins,
        author=author,
    )
