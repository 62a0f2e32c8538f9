"""Reads and named locks of the engine."""

import datetime as dt
import functools
from collections.abc import Collection, Sequence
from typing import Any, Protocol
from uuid import UUID

from django.db import connection
from psycopg import sql

from apps.common.money import Money
from apps.payments.contracts import Job, Payment, TransactionFacts
from apps.payments.models import LegKey, Refund
from apps.payments.states import Kind, Role, State

# What `TransactionFacts` holds, in its order.
TRANSACTION_COLUMNS = """
    transaction.id, transaction.rrn, transaction.amount_paise, transaction.payer_address,
    transaction.payer_name, transaction.payer_type, transaction.payer_code,
    transaction.payee_address, transaction.payee_name, transaction.payee_type,
    transaction.payee_code, transaction.note, transaction.purpose, transaction.initiation_mode,
    transaction.reference, transaction.reference_url, transaction.reference_category,
    transaction.initiated_at
"""
# A leg and its transaction in one row, in the order in which `read_jobs` takes them.
JOB_COLUMNS = f"""
    leg.id, leg.role, leg.kind, leg.state, leg.code, leg.exchange_id, leg.request_message_id,
    leg.wire_transaction_id, leg.wire_transaction_at, leg.wire_sub_type, leg.received_at,
    leg.account_number, leg.account_type, leg.ifsc, leg.device_mobile, leg.device::text,
    leg.risk_scores::text, leg.owner_id, leg.is_on_us,
    coalesce(leg.post_before_at <= clock_timestamp(), false), leg.attempts,
    leg.checks, leg.transfer_id, leg.expires_at,
    extract(epoch FROM clock_timestamp() - leg.changed_at)::float8,
    {TRANSACTION_COLUMNS}
"""
_LEG_COLUMNS = 25
_TRANSACTION_COLUMNS = 18

_JOBS = f"""
    SELECT {JOB_COLUMNS}, leg.state
      FROM payments_leg AS leg
      JOIN payments_transaction AS transaction ON transaction.id = leg.transaction_id
"""  # noqa: S608 - column names of ours

# What decides the plan is written into the statement: with parameters in their places the planner
# would plan anew each time, over all months of the legs, for longer than the statement takes.
_DUE = """
     WHERE leg.role = {role} AND leg.state = ANY({states})
       -- only
       AND leg.next_action_at <= (SELECT clock_timestamp()) AND leg.parked_at IS NULL
     ORDER BY leg.next_action_at LIMIT {limit}
"""
_DUE_ONLY = _DUE.replace("-- only", "AND leg.id = ANY(%(only)s::uuid[])")
_LOCK_FREE = "FOR NO KEY UPDATE OF leg SKIP LOCKED"

_BY_KEY = """
      JOIN payments_legkey AS key ON key.leg_id = leg.id
     WHERE key.transaction_id = ANY(%(transactions)s) AND key.role = ANY(%(roles)s)
     ORDER BY leg.id
"""
# Most often there is one, and for one the planner has a plan that it keeps.
_BY_ONE_KEY = _BY_KEY.replace("= ANY(%(transactions)s)", "= %(transaction)s")
_CLAIMED = """
     WHERE leg.id = ANY(%(ids)s::uuid[]) AND leg.state = %(state)s AND leg.claim = %(claim)s
     ORDER BY leg.id
"""
_LOCK = "FOR NO KEY UPDATE OF leg"

# However long the queue, only its head is looked at.
_DUE_STATES = """
    SELECT DISTINCT state FROM (
        SELECT state FROM payments_leg
         WHERE role = {role} AND next_action_at <= (SELECT clock_timestamp()) AND parked_at IS NULL
         ORDER BY next_action_at LIMIT 1000) AS head
"""


@functools.cache
def statement(
    template: str, *, role: Role, states: tuple[State, ...] = (), **facts: str | int
) -> str:
    """Return a statement with what decides its plan written into it; such texts are few."""
    known = {"role": str(role), "states": [str(state) for state in states], **facts}
    values = {name: sql.Literal(value) for name, value in known.items()}
    return sql.SQL(template).format(**values).as_string()


class Rows(Protocol):
    """An executed cursor."""

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the rows."""


def read_jobs(cursor: Rows) -> list[Job]:
    """Turn rows of JOB_COLUMNS and the state they were found in into jobs."""
    return [_job(row) for row in cursor.fetchall()]


def _job(row: tuple[Any, ...]) -> Job:
    leg, rest = row[:_LEG_COLUMNS], row[_LEG_COLUMNS:]
    facts, source = rest[:_TRANSACTION_COLUMNS], rest[_TRANSACTION_COLUMNS]
    head = [leg[0], Role(leg[1]), leg[2], State(leg[3]), State(source)]
    return Job(*head, *leg[4:], *[read_facts(facts)])


def read_facts(row: tuple[Any, ...]) -> TransactionFacts:
    """Turn a row of TRANSACTION_COLUMNS into facts."""
    names = TransactionFacts.__slots__
    values = dict(zip(names, row, strict=True))
    values["amount"] = Money(values["amount"])
    return TransactionFacts(**values)


def due_jobs(
    *, role: Role, states: Collection[State], limit: int, only: Sequence[UUID] | None = None
) -> list[Job]:
    """Return due legs, or those of `only` that are; nothing is locked."""
    return _due("", role=role, states=states, limit=limit, only=only)


def lock_due_jobs(
    *, role: Role, states: Collection[State], limit: int, only: Sequence[UUID] | None = None
) -> list[Job]:
    """
    Return due legs, their rows locked until the transaction ends; those held are passed over.

    The clock is read after the lock, so `is_late` is true to the moment of the decision.
    """
    return _due(_LOCK_FREE, role=role, states=states, limit=limit, only=only)


def _due(
    lock: str,
    *,
    role: Role,
    states: Collection[State],
    limit: int,
    only: Sequence[UUID] | None,
) -> list[Job]:
    template = _JOBS + (_DUE if only is None else _DUE_ONLY) + lock
    text = statement(template, role=role, states=tuple(states), limit=limit)
    with connection.cursor() as cursor:
        cursor.execute(text, None if only is None else {"only": list(only)})
        return read_jobs(cursor)


def lock_claimed_jobs(leg_ids: Sequence[UUID], *, state: State, claim: UUID) -> list[Job]:
    """Return those legs that the claim still has in its working state, locked by id."""
    with connection.cursor() as cursor:
        parameters: dict[str, Any] = {"ids": list(leg_ids), "state": state, "claim": claim}
        cursor.execute(_JOBS + _CLAIMED + _LOCK, parameters)
        return read_jobs(cursor)


def jobs_of(transaction_ids: Sequence[str], roles: Collection[Role]) -> list[Job]:
    """Return the legs of these roles that the transactions have."""
    return _by_key("", transaction_ids, roles)


def lock_jobs_of(transaction_ids: Sequence[str], roles: Collection[Role]) -> list[Job]:
    """Return the legs of these roles that the transactions have, locked by id."""
    return _by_key(_LOCK, transaction_ids, roles)


def _by_key(lock: str, transaction_ids: Sequence[str], roles: Collection[Role]) -> list[Job]:
    parameters: dict[str, Any] = {"roles": list(roles)}
    if len(transaction_ids) == 1:
        text, parameters["transaction"] = _JOBS + _BY_ONE_KEY + lock, transaction_ids[0]
    else:
        text, parameters["transactions"] = _JOBS + _BY_KEY + lock, list(transaction_ids)
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)
        return read_jobs(cursor)


def job(leg_id: UUID) -> Job:
    """Return a leg that exists, with its transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_JOBS + " WHERE leg.id = %s", [leg_id])
        (found,) = read_jobs(cursor)
        return found


def lock_job(leg_id: UUID) -> Job:
    """Return a leg that exists, its row locked until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_JOBS + " WHERE leg.id = %s " + _LOCK, [leg_id])
        (found,) = read_jobs(cursor)
        return found


def due_states(role: Role) -> set[State]:
    """Return the states in which legs of this role wait for their next step now."""
    with connection.cursor() as cursor:
        cursor.execute(statement(_DUE_STATES, role=role))
        return {State(row[0]) for row in cursor.fetchall()}


def payer_psp_is_due() -> bool:
    """Say whether a payment waits to be sent, or to be asked about."""
    return bool(due_states(Role.PAYER_PSP))


def payee_psp_is_due() -> bool:
    """Say whether an address waits to be resolved, or a confirmation is overdue."""
    return bool(due_states(Role.PAYEE_PSP))


def debit_is_due() -> bool:
    """Say whether a debit waits for its PIN, its posting or its end."""
    return bool(due_states(Role.DEBIT))


def credit_is_due() -> bool:
    """Say whether a credit waits for its posting or its end."""
    return bool(due_states(Role.CREDIT))


def reversal_is_due() -> bool:
    """Say whether a reversal waits to be decided."""
    return bool(due_states(Role.REVERSAL))


def database_now() -> dt.datetime:
    """Return the database's clock, which all deadlines of shared work obey."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    assert row is not None, "a SELECT without FROM has a row"
    now: dt.datetime = row[0]
    return now


# What was once taken in hand stays so for whoever looks: nobody sees a status go back.
_PAYMENTS = f"""
    SELECT leg.id, leg.owner_id, leg.kind,
           CASE WHEN leg.state = 'CREATED' AND leg.exchange_id IS NOT NULL THEN 'SENDING'
                ELSE leg.state END,
           leg.code, leg.expires_at, leg.changed_at, leg.received_at, {TRANSACTION_COLUMNS}
      FROM payments_leg AS leg
      JOIN payments_transaction AS transaction ON transaction.id = leg.transaction_id
"""  # noqa: S608 - column names of ours
_PAYMENT_COLUMNS = 8


def _payments(condition: str, parameters: Sequence[Any]) -> list[Payment]:
    with connection.cursor() as cursor:
        cursor.execute(_PAYMENTS + condition, parameters)
        rows = cursor.fetchall()
    return [
        Payment(
            leg_id=row[0],
            owner_id=row[1],
            kind=Kind(row[2]),
            state=State(row[3]),
            code=row[4],
            expires_at=row[5],
            changed_at=row[6],
            created_at=row[7],
            transaction=read_facts(row[_PAYMENT_COLUMNS:]),
        )
        for row in rows
    ]


def payment_of(transaction_id: str, role: Role) -> Payment | None:
    """Return a transaction as its payer's or payee's PSP sees it."""
    condition = """
          JOIN payments_legkey AS key ON key.leg_id = leg.id
         WHERE key.transaction_id = %s AND key.role = %s AND key.kind IN ('PAY', 'COLLECT')
    """
    found = _payments(condition, [transaction_id, role])
    return found[0] if found else None


def payment_by_leg(leg_id: UUID, role: Role) -> Payment | None:
    """Return a payment by the id of its PSP leg."""
    found = _payments(" WHERE leg.id = %s AND leg.role = %s", [leg_id, role])
    return found[0] if found else None


def page_of_payments(
    *, owner_id: UUID, role: Role, limit: int, before: UUID | None
) -> tuple[list[Payment], bool]:
    """
    Return a page of a customer's or merchant's payments, newest first, and if there are more.

    A collect is a customer's payment once they approved it: from an account.
    """
    condition = """
         WHERE leg.owner_id = %s AND leg.role = %s AND (%s::uuid IS NULL OR leg.id < %s::uuid)
           AND (leg.role = 'PAYEE_PSP' OR leg.kind = 'PAY' OR leg.account_number <> '')
         ORDER BY leg.id DESC LIMIT %s
    """
    found = _payments(condition, [owner_id, role, before, before, limit + 1])
    return found[:limit], len(found) > limit


def page_of_collects(
    *, customer_id: UUID, limit: int, before: UUID | None
) -> tuple[list[Payment], bool]:
    """Return a page of what a customer is, or was, asked for, and whether there is more."""
    condition = """
         WHERE leg.owner_id = %s AND leg.role = 'PAYER_PSP' AND leg.kind = 'COLLECT'
           AND (%s::uuid IS NULL OR leg.id < %s::uuid)
         ORDER BY leg.id DESC LIMIT %s
    """
    found = _payments(condition, [customer_id, before, before, limit + 1])
    return found[:limit], len(found) > limit


def page_of_refunds(
    *, merchant_id: UUID, transaction_id: str | None, limit: int, before: UUID | None
) -> tuple[list[Refund], bool]:
    """Return a page of a merchant's refunds, of one payment or of all, and if there are more."""
    rows = Refund.objects.filter(merchant_id=merchant_id).order_by("-pk")
    if transaction_id is not None:
        rows = rows.filter(transaction_id=transaction_id)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: limit + 1])
    return found[:limit], len(found) > limit


def payees_legs(transaction_ids: Sequence[str]) -> dict[str, UUID]:
    """Return the leg by which each payment is known to its payee."""
    found = LegKey.objects.filter(transaction_id__in=transaction_ids, role=Role.PAYEE_PSP)
    return dict(found.values_list("transaction_id", "leg_id"))


def account_refunded_to(refund_transaction_id: str) -> str:
    """Return the account of this bank that paid what a refund of ours gives back; "" for none."""
    refund = Refund.objects.filter(refund_transaction_id=refund_transaction_id).first()
    if refund is None:
        return ""
    debits = jobs_of([refund.transaction_id], [Role.DEBIT])
    return next((job.account_number for job in debits if job.state is State.POSTED), "")


def leg_of(*, transaction_id: str, role: Role, kind: str) -> UUID | None:
    """Return the leg that holds this key."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT leg_id FROM payments_legkey"
            " WHERE transaction_id = %s AND role = %s AND kind = %s",
            [transaction_id, role, kind],
        )
        row = cursor.fetchone()
    return row[0] if row else None
