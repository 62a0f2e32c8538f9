"""The first 24 hours of an account on UPI, or of a new device: small amounts only."""

import datetime as dt
from collections.abc import Sequence

from django.db import connection

from apps.risk import selectors
from apps.risk.contracts import FirstDay, LimitAsk, Limits

# upi-protocol 4.1: the first payment is too large; the payments of the first day come to too much.
FIRST_PAYMENT_EXCEEDED = "FL"
FIRST_DAY_EXCEEDED = "FP"
FIRST_DAY = dt.timedelta(hours=24)

_WRITE = """
    INSERT INTO risk_first_use (account_id, device, began_at, amount_paise)
    SELECT * FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::bigint[])
        ON CONFLICT (account_id) DO UPDATE
       SET device = excluded.device, began_at = excluded.began_at,
           amount_paise = excluded.amount_paise
"""
_KNOWN_SINCE_LONG = """
    INSERT INTO risk_first_use (account_id, device, began_at, amount_paise)
    SELECT account_id, '', '2000-01-01T00:00:00Z', 0 FROM unnest(%s::bigint[]) AS a (account_id)
        ON CONFLICT (account_id) DO NOTHING
"""


class FirstDays:
    """
    The beginnings of some accounts, locked; debits are judged against them in order.

    Debits that no phone asked for, such as a merchant's refund, are not judged.
    """

    def __init__(self, asks: Sequence[LimitAsk]) -> None:
        """Lock the rows of those accounts whose phones ask; their usage rows are held."""
        accounts = {ask.account_id for ask in asks if ask.device}
        self._rows = selectors.lock_first_days(accounts) if accounts else {}
        self._changed: set[int] = set()

    def refuse(self, ask: LimitAsk, limits: Limits) -> str | None:
        """Return the code with which a debit is declined, None if it is within the limits."""
        most, paise = limits.first_payment_amount_paise, ask.amount.paise
        if not ask.device:
            return None
        row = self._row(ask)
        if row.began_at is None:
            return FIRST_PAYMENT_EXCEEDED if most is not None and paise > most else None
        most = limits.first_day_amount_paise
        is_over = most is not None and row.amount_paise + paise > most
        return FIRST_DAY_EXCEEDED if is_over and _is_within(row, ask) else None

    def count(self, ask: LimitAsk) -> None:
        """Count a debit that is within every limit."""
        if not ask.device:
            return
        known, row = self._rows.get(ask.account_id), self._row(ask)
        if row.began_at is None:
            row.began_at = ask.at
        if _is_within(row, ask):
            row.amount_paise += ask.amount.paise
        elif known is row:
            return
        self._rows[ask.account_id] = row
        self._changed.add(ask.account_id)

    def give_back(self, ask: LimitAsk) -> None:
        """Undo `count` for a debit that was not posted."""
        row = self._rows.get(ask.account_id)
        if row is None or row.device != ask.device or not _is_within(row, ask):
            return
        row.amount_paise -= ask.amount.paise
        if row.amount_paise <= 0:
            # What was the first payment has not happened: the next one will be the first.
            row.began_at, row.amount_paise = None, 0
        self._changed.add(ask.account_id)

    def write(self) -> None:
        """Write what has changed, by one statement."""
        changed = [(account_id, self._rows[account_id]) for account_id in sorted(self._changed)]
        if not changed:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                _WRITE,
                [
                    [account_id for account_id, _ in changed],
                    [row.device for _, row in changed],
                    [row.began_at for _, row in changed],
                    [row.amount_paise for _, row in changed],
                ],
            )

    def _row(self, ask: LimitAsk) -> FirstDay:
        """Return the account's row for this device: a new device begins anew."""
        row = self._rows.get(ask.account_id)
        if row is not None and row.device == ask.device:
            return row
        if row is not None and not row.device:
            return FirstDay(ask.device, row.began_at, row.amount_paise)
        return FirstDay(ask.device, None, 0)


def establish(account_ids: Sequence[int]) -> None:
    """Let accounts count as customers of old, whatever phone they pay from first."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN_SINCE_LONG, [list(account_ids)])


def _is_within(row: FirstDay, ask: LimitAsk) -> bool:
    return row.began_at is not None and ask.at < row.began_at + FIRST_DAY
