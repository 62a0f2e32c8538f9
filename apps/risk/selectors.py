"""Reads and locks of limits."""

import datetime as dt
from collections.abc import Collection, Sequence

from django.db import connection
from django.db.models import Q

from apps.common.money import Money
from apps.risk.contracts import FirstDay, Limits, Rule
from apps.risk.models import LimitUsage, RiskScoreRule

_LIMITS = """
    SELECT rule, value FROM risk_limit_rule
     WHERE valid_from_date <= %(date)s AND (valid_to_date IS NULL OR valid_to_date > %(date)s)
"""


def limits_on(date: dt.date) -> Limits:
    """Return the rules that hold on an Indian day."""
    with connection.cursor() as cursor:
        cursor.execute(_LIMITS, {"date": date})
        rules: dict[str, int] = dict(cursor.fetchall())
    return Limits(
        payment_amount_paise=rules.get(Rule.PAYMENT_AMOUNT),
        day_amount_paise=rules.get(Rule.DAY_AMOUNT),
        day_count=rules.get(Rule.DAY_COUNT),
        shared_qr_paise=rules.get(Rule.SHARED_QR),
        first_payment_amount_paise=rules.get(Rule.FIRST_PAYMENT_AMOUNT),
        first_day_amount_paise=rules.get(Rule.FIRST_DAY_AMOUNT),
        bank_payment_amount_paise=rules.get(Rule.BANK_PAYMENT_AMOUNT),
        bank_day_amount_paise=rules.get(Rule.BANK_DAY_AMOUNT),
    )


def score_thresholds(date: dt.date) -> dict[tuple[str, str], int]:
    """Return from which score on a debit is declined on an Indian day, by source and kind."""
    rows = RiskScoreRule.objects.filter(valid_from_date__lte=date).filter(
        Q(valid_to_date__isnull=True) | Q(valid_to_date__gt=date)
    )
    return {(row.provider, row.score_type): row.threshold for row in rows}


def used_on(account_id: int, date: dt.date) -> tuple[Money, int]:
    """Return amount and number of an account's debits that count for a day."""
    usage = LimitUsage.objects.filter(account_id=account_id, business_date=date).first()
    return (Money(0), 0) if usage is None else (Money(usage.amount_paise), usage.payments)


def lock_usage(days: Collection[tuple[int, dt.date]]) -> dict[tuple[int, dt.date], list[int]]:
    """
    Return [id, amount in paise, payments] of account days, rows made and locked in their order.

    A row is made before it is locked, so that two first payments of a day meet on it.
    """
    ordered: Sequence[tuple[int, dt.date]] = sorted(days)
    accounts, dates = [day[0] for day in ordered], [day[1] for day in ordered]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO risk_limit_usage (account_id, business_date, amount_paise, payments) "
            "SELECT account_id, business_date, 0, 0 FROM unnest(%s::bigint[], %s::date[]) "
            "AS d(account_id, business_date) ORDER BY 1, 2 "
            "ON CONFLICT (account_id, business_date) DO NOTHING",
            [accounts, dates],
        )
        cursor.execute(
            "SELECT u.account_id, u.business_date, u.id, u.amount_paise, u.payments "
            "FROM risk_limit_usage u JOIN unnest(%s::bigint[], %s::date[]) "
            "AS d(account_id, business_date) USING (account_id, business_date) "
            "ORDER BY 1, 2 FOR NO KEY UPDATE OF u",
            [accounts, dates],
        )
        return {(row[0], row[1]): [row[2], row[3], row[4]] for row in cursor.fetchall()}


def lock_first_days(account_ids: Collection[int]) -> dict[int, FirstDay]:
    """
    Return how accounts began to pay, their rows locked in their order; absent: never paid.

    The caller holds the accounts' usage rows, so that two first payments do not pass each other.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account_id, device, began_at, amount_paise FROM risk_first_use "
            "WHERE account_id = ANY(%s::bigint[]) ORDER BY account_id FOR NO KEY UPDATE",
            [sorted(account_ids)],
        )
        return {row[0]: FirstDay(*row[1:]) for row in cursor.fetchall()}
