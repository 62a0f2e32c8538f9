"""
What the bank must still make good or find out, each with its owner, age and exposure.

The switch may read silence otherwise than we do; no rule of ours can prevent that. An item is here
from the moment it is known, and leaves only with proof: a positive Ack, the switch's own file, or
an operator's word about what core banking said unasked.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection

from apps.common.money import Money

ITEMS_MAX = 10_000


class ItemKind(StrEnum):
    """Why something is open."""

    DEBIT_REVERSAL_UNACKED = "DEBIT_REVERSAL_UNACKED"
    CREDIT_UNACKED = "CREDIT_UNACKED"
    CREDIT_OF_FAILED = "CREDIT_OF_FAILED"
    CREDIT_REVERSAL_UNACKED = "CREDIT_REVERSAL_UNACKED"
    CREDIT_OWED = "CREDIT_OWED"
    UNKNOWN = "UNKNOWN"
    PARKED = "PARKED"
    CONTRADICTED = "CONTRADICTED"
    REFUND_OWED = "REFUND_OWED"
    HOST_ANSWER_UNMATCHED = "HOST_ANSWER_UNMATCHED"


# Who must act, by the words of the trade (upi-protocol 7.9).
OWNERS: Mapping[ItemKind, str] = {
    ItemKind.DEBIT_REVERSAL_UNACKED: "disputes: confirm the reversal (DRC)",
    ItemKind.CREDIT_UNACKED: "settlement: the switch's file decides",
    ItemKind.CREDIT_OF_FAILED: "disputes: recover from the beneficiary",
    ItemKind.CREDIT_REVERSAL_UNACKED: "settlement: the switch's file decides",
    ItemKind.CREDIT_OWED: "disputes: credit or return (TCC, RET)",
    ItemKind.UNKNOWN: "operations: status check, then the file of the switch or the host",
    ItemKind.PARKED: "operations: mend the cause and let it run again",
    ItemKind.CONTRADICTED: "operations: two words about one payment",
    ItemKind.REFUND_OWED: "merchant service: the payment must go back, and has not",
    ItemKind.HOST_ANSWER_UNMATCHED: "operations: ask core banking what it means, then close it",
}


@dataclass(frozen=True, slots=True)
class OpenItem:
    """
    One thing that is open; `exposure` is what it may cost at most.

    `transaction_id` is "" when it belongs to no payment that we know.
    """

    kind: ItemKind
    transaction_id: str
    rrn: str
    leg_id: UUID | None
    role: str
    state: str
    code: str
    since: dt.datetime
    next_action_at: dt.datetime | None
    exposure: Money

    @property
    def owner(self) -> str:
        """Who must act."""
        return OWNERS[self.kind]


_LEG = """
    leg.transaction_id, transaction.rrn, leg.id, leg.role, leg.state, leg.code, leg.changed_at,
    leg.next_action_at, transaction.amount_paise
"""
_FROM = """
      FROM payments_leg AS leg
      JOIN payments_transaction AS transaction ON transaction.id = leg.transaction_id
"""
# Any positive Ack of our word will do: of the answer, of its repeat, of a later message's answer.
_IS_ACKED = """
    EXISTS (SELECT FROM upi_exchange AS told
             WHERE told.state = 'ACKED' AND (told.id = leg.exchange_id OR told.id IN (
                   SELECT exchange_id FROM payments_legrequest WHERE leg_id = leg.id)))
    OR EXISTS (SELECT FROM upi_exchange_repeat AS told
                WHERE told.exchange_id = leg.exchange_id AND told.state = 'ACKED')
"""
_FILE = """
    SELECT FROM payments_fileverdict AS verdict WHERE verdict.transaction_id = leg.transaction_id
"""

# The reversal's money is back, and only the file can say that the switch knows: any code but RR.
_DEBIT_REVERSAL_UNACKED = f"""
    SELECT {_LEG} {_FROM}
     WHERE leg.role = 'REVERSAL' AND leg.kind = 'DEBIT' AND leg.state = 'POSTED'
       AND NOT ({_IS_ACKED}) AND NOT EXISTS ({_FILE} AND verdict.response_code <> 'RR')
"""

_CREDIT_UNACKED = f"""
    SELECT {_LEG}
      FROM upi_exchange AS exchange
      JOIN payments_legkey AS key ON key.transaction_id = exchange.txn_id AND key.role = 'CREDIT'
      JOIN payments_leg AS leg ON leg.id = key.leg_id
      JOIN payments_transaction AS transaction ON transaction.id = leg.transaction_id
     WHERE exchange.direction = 'IN' AND exchange.api = 'ReqPay' AND exchange.type = 'CREDIT'
       AND exchange.state <> 'ACKED' AND leg.state = 'POSTED'
       AND NOT ({_IS_ACKED}) AND NOT EXISTS ({_FILE} AND verdict.response_code IN ('00', 'RB'))
"""  # noqa: S608 - made of our own statements

# The payer got the money back, or the payment failed, and our customer was credited all the same.
_CREDIT_OF_FAILED = f"""
    WITH failed AS (
        SELECT transaction_id FROM payments_leg WHERE role = 'REVERSAL' AND kind = 'DEBIT'
        UNION
        SELECT transaction_id FROM payments_leg
         WHERE role IN ('PAYER_PSP', 'PAYEE_PSP') AND state = 'FAILED'
        UNION
        SELECT transaction_id FROM payments_fileverdict WHERE response_code NOT IN ('00', 'RB'))
    SELECT {_LEG}
      FROM failed
      JOIN payments_legkey AS key
        ON key.transaction_id = failed.transaction_id AND key.role = 'CREDIT'
      JOIN payments_leg AS leg ON leg.id = key.leg_id
      JOIN payments_transaction AS transaction ON transaction.id = leg.transaction_id
     WHERE leg.state = 'POSTED'
       AND NOT EXISTS ({_FILE} AND verdict.response_code IN ('00', 'RB'))
"""  # noqa: S608 - made of our own statements

_CREDIT_REVERSAL_UNACKED = f"""
    SELECT {_LEG} {_FROM}
     WHERE leg.role = 'REVERSAL' AND leg.kind = 'CREDIT' AND leg.state IN ('KEPT', 'NOT_DONE')
       AND NOT ({_IS_ACKED}) AND NOT EXISTS ({_FILE})
"""

# The switch's file deems the credit done; if it is not, the beneficiary's bank, ours, owes it.
_CREDIT_OWED = """
    SELECT verdict.transaction_id, verdict.rrn, leg.id, 'CREDIT', coalesce(leg.state, 'NONE'),
           verdict.response_code, verdict.recorded_at, NULL::timestamptz, verdict.amount_paise
      FROM payments_fileverdict AS verdict
      LEFT JOIN payments_legkey AS key
        ON key.transaction_id = verdict.transaction_id AND key.role = 'CREDIT'
      LEFT JOIN payments_leg AS leg ON leg.id = key.leg_id
     WHERE verdict.response_code = 'RB' AND verdict.is_beneficiary
       AND leg.state IS DISTINCT FROM 'POSTED'
"""

_UNKNOWN = f"""
    SELECT {_LEG} {_FROM} WHERE leg.state IN ('UNKNOWN', 'CANCELLING') AND leg.parked_at IS NULL
"""

_PARKED = f"SELECT {_LEG} {_FROM} WHERE leg.parked_at IS NOT NULL"

_CONTRADICTED = """
    SELECT told.transaction_id, transaction.rrn, told.leg_id, told.role, told.state, told.code,
           told.told_at, NULL::timestamptz, transaction.amount_paise
      FROM payments_contradiction AS told
      JOIN payments_transaction AS transaction ON transaction.id = told.transaction_id
"""

# What a merchant may not keep, until another refund of the payment has taken its share.
_REFUND_OWED = """
    SELECT refund.transaction_id, transaction.rrn, refund.leg_id, 'PAYER_PSP', refund.state,
           refund.code, refund.opened_at, NULL::timestamptz, refund.amount_paise
      FROM payments_refund AS refund
      JOIN payments_transaction AS transaction ON transaction.id = refund.transaction_id
      JOIN payments_refundbound AS bound ON bound.transaction_id = refund.transaction_id
     WHERE refund.reason <> 'REQUESTED'
       AND (refund.state = 'OPENED'
            OR (refund.state = 'FAILED' AND bound.refunded_paise < bound.amount_paise))
"""

# The host's own amount, where it sent one: an answer to nothing we asked belongs to no payment.
_HOST_ANSWER_UNMATCHED = """
    SELECT coalesce(leg.transaction_id, ''), answer.rrn, leg.id, coalesce(leg.role, ''),
           answer.reason, answer.response_code, answer.received_at, NULL::timestamptz,
           greatest(call.amount_paise,
                    CASE WHEN answer.amount ~ '^[0-9]+$' THEN answer.amount::bigint ELSE 0 END)
      FROM accounts_unmatched_answer AS answer
      LEFT JOIN accounts_core_banking_call AS call ON call.id = answer.call_id
      LEFT JOIN payments_leg AS leg ON leg.id = call.leg_id
     WHERE answer.closed_at IS NULL
"""

_QUERIES: Mapping[ItemKind, str] = {
    ItemKind.DEBIT_REVERSAL_UNACKED: _DEBIT_REVERSAL_UNACKED,
    ItemKind.CREDIT_UNACKED: _CREDIT_UNACKED,
    ItemKind.CREDIT_OF_FAILED: _CREDIT_OF_FAILED,
    ItemKind.CREDIT_REVERSAL_UNACKED: _CREDIT_REVERSAL_UNACKED,
    ItemKind.CREDIT_OWED: _CREDIT_OWED,
    ItemKind.UNKNOWN: _UNKNOWN,
    ItemKind.PARKED: _PARKED,
    ItemKind.CONTRADICTED: _CONTRADICTED,
    ItemKind.REFUND_OWED: _REFUND_OWED,
    ItemKind.HOST_ANSWER_UNMATCHED: _HOST_ANSWER_UNMATCHED,
}


def open_items(*kinds: ItemKind) -> list[OpenItem]:
    """Return what is open, of these kinds or of all, each kind oldest first."""
    return [item for kind in kinds or ItemKind for item in _of(kind)]


def _of(kind: ItemKind) -> list[OpenItem]:
    with connection.cursor() as cursor:
        cursor.execute(f"{_QUERIES[kind]} ORDER BY 7, 1 LIMIT {ITEMS_MAX}")
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return [OpenItem(kind, *row[:-1], *[Money(row[-1])]) for row in rows]
