"""Forget calls to core banking's host that nobody will ask about any more."""

import datetime as dt

from django.db import connection

from apps.common import clock, ids
from apps.payments.states import MOVES

# As long as the messages of the switch: a year of audits and disputes is answered from them.
KEPT_DAYS = 396
CALLS_MAX = 500

_OPEN = ", ".join(f"('{role}', '{state}')" for role, moves in MOVES.items() for state in moves)
# A call goes with those that ask about it or cancel it, and only when all of them may go. A leg at
# its end is never ordered again, so that its call need not stand in the way of a second one.
_PURGE = f"""
    WITH old AS MATERIALIZED (
        SELECT call.id
          FROM accounts_core_banking_call AS call
         WHERE call.id < %(before)s
           AND NOT EXISTS (SELECT FROM payments_leg AS leg
                            WHERE leg.id = call.leg_id AND (leg.role, leg.state) IN ({_OPEN}))
           AND NOT EXISTS (SELECT FROM accounts_unmatched_answer AS answer
                            WHERE answer.call_id = call.id AND answer.closed_at IS NULL)
           AND NOT EXISTS (
               SELECT FROM accounts_core_banking_call AS about
                WHERE about.original_id = call.id
                  AND (about.id >= %(before)s OR EXISTS (
                      SELECT FROM accounts_unmatched_answer AS answer
                       WHERE answer.call_id = about.id AND answer.closed_at IS NULL)))
         ORDER BY call.id LIMIT %(limit)s),
    gone AS (
        SELECT id FROM old
         UNION
        SELECT about.id FROM old JOIN accounts_core_banking_call AS about
            ON about.original_id = old.id),
    answers AS (
        DELETE FROM accounts_unmatched_answer WHERE call_id IN (SELECT id FROM gone))
    DELETE FROM accounts_core_banking_call WHERE id IN (SELECT id FROM gone)
"""  # noqa: S608 - roles and states are ours


def purge() -> int:
    """Remove calls of ended legs that are past their time, a bounded number; return how many."""
    before = ids.uuid7_floor(clock.now() - dt.timedelta(days=KEPT_DAYS))
    with connection.cursor() as cursor:
        cursor.execute(_PURGE, {"before": before, "limit": CALLS_MAX})
        return int(cursor.rowcount)
