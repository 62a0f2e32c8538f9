"""Take from an account's limits in the transaction that posts, and give back what was not used."""

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import connection, transaction

from apps.common.clock import business_date
from apps.risk import selectors
from apps.risk.contracts import LimitAsk, Limits
from apps.risk.services.first_day import FirstDays

# upi-protocol 4.2, in the order in which they are checked.
COUNT_EXCEEDED = "Z7"
AMOUNT_EXCEEDED = "Z8"
BANK_EXCEEDED = "ZU"

_UPDATE = (
    "UPDATE risk_limit_usage u SET amount_paise = n.amount_paise, payments = n.payments "
    "FROM unnest(%s::bigint[], %s::bigint[], %s::int[]) AS n(id, amount_paise, payments) "
    "WHERE u.id = n.id"
)

_Day = tuple[int, dt.date]


def take(asks: Sequence[LimitAsk]) -> list[str | None]:
    """
    Count debits against the limits, in order; return for each None, or the code that declines it.

    Runs in the posting transaction: the rows it locks are of accounts and days, in that order, and
    stay locked until the payment is posted. What is declined later is given back.
    """
    if not asks:
        return []
    assert transaction.get_connection().in_atomic_block, "limits need the posting transaction"
    days = [_day(ask) for ask in asks]
    limits = {date: selectors.limits_on(date) for date in {day[1] for day in days}}
    usage = selectors.lock_usage(set(days))
    firsts = FirstDays(asks)
    codes = []
    for ask, day in zip(asks, days, strict=True):
        row, rules = usage[day], limits[day[1]]
        code = firsts.refuse(ask, rules) or refuse(
            rules, ask.amount.paise, amount_used=row[1], payments=row[2]
        )
        if code is None:
            row[1] += ask.amount.paise
            row[2] += 1
            firsts.count(ask)
        codes.append(code)
    _write(usage)
    firsts.write()
    return codes


def give_back(asks: Sequence[LimitAsk]) -> None:
    """Undo what `take` counted for debits that were not posted, or were reversed on their day."""
    if not asks:
        return
    assert transaction.get_connection().in_atomic_block, "limits need the posting transaction"
    usage = selectors.lock_usage({_day(ask) for ask in asks})
    firsts = FirstDays(asks)
    for ask in asks:
        row = usage[_day(ask)]
        row[1] -= ask.amount.paise
        row[2] -= 1
        firsts.give_back(ask)
    _write(usage)
    firsts.write()


def refuse(limits: Limits, paise: int, *, amount_used: int, payments: int) -> str | None:
    """Return the code with which a debit is declined, None if it is within the day's limits."""
    if limits.day_count is not None and payments + 1 > limits.day_count:
        return COUNT_EXCEEDED
    if limits.payment_amount_paise is not None and paise > limits.payment_amount_paise:
        return AMOUNT_EXCEEDED
    if limits.day_amount_paise is not None and amount_used + paise > limits.day_amount_paise:
        return AMOUNT_EXCEEDED
    own, own_day = limits.bank_payment_amount_paise, limits.bank_day_amount_paise
    if own is not None and paise > own:
        return BANK_EXCEEDED
    if own_day is not None and amount_used + paise > own_day:
        return BANK_EXCEEDED
    return None


def _day(ask: LimitAsk) -> _Day:
    return ask.account_id, business_date(ask.at)


def _write(usage: Mapping[_Day, list[int]]) -> None:
    rows = list(usage.values())
    with connection.cursor() as cursor:
        cursor.execute(
            _UPDATE, [[row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]]
        )
