"""Move legs from state to state: the only writer of a leg's state and of its history."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from apps.common import ids
from apps.messaging import claims
from apps.messaging.contracts import Claim
from apps.payments.contracts import Job, Move
from apps.payments.selectors import JOB_COLUMNS, lock_claimed_jobs, read_jobs, statement
from apps.payments.states import Role, State, may_move
from apps.upi.contracts import AccountAddress

TABLE = "payments_leg"
CLAIM_LEGS_MAX = 1000

_MOVE = """
    WITH wanted AS (
        SELECT * FROM unnest(%(ids)s::uuid[], %(sources)s::text[], %(targets)s::text[],
                             %(codes)s::text[], %(transfers)s::uuid[], %(owners)s::uuid[],
                             %(claims)s::uuid[], %(delays)s::float8[])
               AS wanted (id, source, target, code, transfer_id, owner_id, claim, delay)),
    moved AS (
        UPDATE payments_leg AS leg
           SET state = wanted.target, claim = wanted.claim,
               code = CASE WHEN wanted.target = 'UNKNOWN' AND wanted.code = '' THEN leg.code
                           ELSE wanted.code END,
               attempts = 0,
               transfer_id = coalesce(wanted.transfer_id, leg.transfer_id),
               owner_id = coalesce(wanted.owner_id, leg.owner_id),
               next_action_at = clock_timestamp() + make_interval(secs => wanted.delay),
               changed_at = clock_timestamp()
          FROM wanted
         WHERE leg.id = wanted.id AND leg.id = ANY(%(ids)s::uuid[])
           AND leg.state = wanted.source
           AND (%(claim)s::uuid IS NULL OR leg.claim = %(claim)s::uuid)
        RETURNING leg.id, wanted.source, wanted.target, wanted.code),
    kept AS (
        INSERT INTO payments_leghistory (id, leg_id, source, target, code)
        SELECT payments_uuid7(), id, source, target, code FROM moved)
    SELECT id FROM moved
"""

# A working state that equals the state found (a lease that ended) is no move and has no history.
_CLAIMED_COLUMNS = JOB_COLUMNS.replace("leg.changed_at", "leg.was_changed_at")
_CLAIM = f"""
    WITH due AS MATERIALIZED (
        SELECT id, state AS source, changed_at FROM payments_leg
         WHERE role = {{role}} AND state = ANY({{states}})
           -- only
           AND next_action_at <= (SELECT clock_timestamp()) AND parked_at IS NULL
         ORDER BY next_action_at LIMIT {{limit}}
           FOR NO KEY UPDATE SKIP LOCKED),
    leg AS (
        UPDATE payments_leg AS leg
           SET state = {{working}}::text, claim = %(token)s,
               changed_at = CASE WHEN source = {{working}}::text THEN leg.changed_at
                                 ELSE clock_timestamp() END,
               next_action_at = clock_timestamp() + make_interval(secs => %(lease)s),
               exchange_id = CASE WHEN %(renews)s THEN payments_uuid7() ELSE exchange_id END
          FROM due WHERE leg.id = due.id
        RETURNING leg.*, due.source, due.changed_at AS was_changed_at),
    kept AS (
        INSERT INTO payments_leghistory (id, leg_id, source, target, code)
        SELECT payments_uuid7(), id, source, state, '' FROM leg WHERE source <> state)
    SELECT {_CLAIMED_COLUMNS}, leg.source
      FROM leg JOIN payments_transaction AS transaction ON transaction.id = leg.transaction_id
     ORDER BY leg.id
"""  # noqa: S608 - column names of ours
_CLAIM_ONLY = _CLAIM.replace("-- only", "AND id = ANY(%(only)s::uuid[])")

_POSTPONE = """
    UPDATE payments_leg
       SET claim = NULL, next_action_at = clock_timestamp() + make_interval(secs => %(delay)s)
     WHERE id = ANY(%(ids)s::uuid[]) AND claim = %(claim)s
"""

_POSTPONE_EACH = """
    UPDATE payments_leg AS leg
       SET claim = NULL, next_action_at = clock_timestamp() + make_interval(secs => due.delay)
      FROM unnest(%(ids)s::uuid[], %(delays)s::float8[]) AS due (id, delay)
     WHERE leg.id = due.id AND leg.claim = %(claim)s
"""

_COUNT_CHECKS = """
    UPDATE payments_leg SET checks = checks + 1 WHERE id = ANY(%s::uuid[]) AND claim = %s
"""

_FORGET_CHECKS = "UPDATE payments_leg SET checks = 0 WHERE id = ANY(%s::uuid[])"

_HOLD = """
    UPDATE payments_leg
       SET claim = %(claim)s, next_action_at = clock_timestamp() + make_interval(secs => %(lease)s)
     WHERE id = ANY(%(ids)s::uuid[])
"""

_QUEUE_AGAIN = """
    UPDATE payments_leg
       SET claim = NULL, next_action_at = clock_timestamp() + make_interval(secs => %(delay)s)
     WHERE id = ANY(%(ids)s::uuid[])
"""

_WAIT = """
    UPDATE payments_leg SET next_action_at = NULL WHERE id = ANY(%(ids)s::uuid[])
"""

_TAKE = """
    UPDATE payments_leg SET claim = %(token)s
     WHERE id = ANY(%(ids)s::uuid[]) AND next_action_at IS NOT NULL RETURNING id
"""

_TAKE_ACCOUNT = """
    UPDATE payments_leg
       SET account_number = %s, account_type = %s, ifsc = %s, device = %s::jsonb
     WHERE id = %s
"""

# upi-protocol 4.6: the credit's reversal timed out, so that the payment stands as made.
DEEMED = "RB"
_NOTE_DEEMED = """
    UPDATE payments_leg SET code = %(code)s
     WHERE id = %(id)s AND role = 'PAYEE_PSP' AND state IN ('AUTHORISED', 'UNKNOWN')
"""

_WAKE_REVERSALS = """
    UPDATE payments_leg SET next_action_at = clock_timestamp()
     WHERE id IN (SELECT leg_id FROM payments_legkey
                   WHERE transaction_id = ANY(%(transactions)s) AND role = 'REVERSAL')
       AND state = 'WAITING_ORIGINAL'
"""


def move(moves: Sequence[Move], *, claim: UUID | None = None) -> set[UUID]:
    """
    Change the states of many legs by one statement, append to their history, return those moved.

    The caller's transaction is open. A leg that is no longer in the state the caller saw, or no
    longer under the caller's claim, stays as it is and is not returned. Every move clears
    the claim, unless it begins a new one. An illegal move is a bug, not a refusal.
    """
    assert connection.in_atomic_block, "a move is part of its transaction"
    if not moves:
        return set()
    for step in moves:
        assert may_move(step.role, step.source, step.target), f"{step.role} {step}"
    parameters: dict[str, Any] = {
        "ids": [step.leg_id for step in moves],
        "sources": [step.source for step in moves],
        "targets": [step.target for step in moves],
        "codes": [step.code for step in moves],
        "transfers": [step.transfer_id for step in moves],
        "owners": [step.owner_id for step in moves],
        "claims": [step.claim for step in moves],
        "delays": [step.due_in_seconds for step in moves],
        "claim": claim,
    }
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, parameters)
        return {row[0] for row in cursor.fetchall()}


def claim_due(  # noqa: PLR0913 - what a claim is made of
    *,
    role: Role,
    states: Collection[State],
    working: State,
    limit: int,
    lease_seconds: float,
    only: Sequence[UUID] | None = None,
    renews_exchange: bool = False,
) -> tuple[Claim, list[Job]]:
    """
    Take due legs for a while, moving them to the state in which they are worked on.

    Rows that others hold are passed over. The caller's transaction is open and commits before
    anything is done outside. `renews_exchange` gives each leg the id of a new request of ours.
    """
    assert connection.in_atomic_block, "a claim is committed before the work begins"
    assert 0 < limit <= CLAIM_LEGS_MAX, f"a claim is bounded: {limit}"
    for state in states:
        assert state == working or may_move(role, state, working), f"{role}: {state} → {working}"
    token = ids.uuid7()
    text = statement(
        _CLAIM if only is None else _CLAIM_ONLY,
        role=role,
        states=tuple(states),
        limit=limit,
        working=str(working),
    )
    parameters: dict[str, Any] = {
        "token": token,
        "lease": lease_seconds,
        "renews": renews_exchange,
    }
    if only is not None:
        parameters["only"] = list(only)
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)
        jobs = read_jobs(cursor)
    return Claim(table=TABLE, token=token, ids=tuple(job.id for job in jobs)), jobs


def postpone(leg_ids: Sequence[UUID], *, claim: UUID, seconds: float) -> None:
    """Give claimed legs back, due again after a while; their state stays."""
    if leg_ids:
        with connection.cursor() as cursor:
            cursor.execute(_POSTPONE, {"ids": list(leg_ids), "claim": claim, "delay": seconds})


def postpone_each(delays: Mapping[UUID, float], *, claim: UUID) -> None:
    """Give claimed legs back, each due again after its own seconds; their states stay."""
    if delays:
        parameters: dict[str, Any] = {
            "ids": list(delays),
            "delays": list(delays.values()),
            "claim": claim,
        }
        with connection.cursor() as cursor:
            cursor.execute(_POSTPONE_EACH, parameters)


def count_checks(leg_ids: Sequence[UUID], *, claim: UUID) -> None:
    """Count one try at claimed legs whose outcome somebody else was asked for."""
    if leg_ids:
        with connection.cursor() as cursor:
            cursor.execute(_COUNT_CHECKS, [list(leg_ids), claim])


def forget_checks(leg_ids: Sequence[UUID]) -> None:
    """Begin to count anew for legs that are now worked on otherwise; their rows are locked."""
    if leg_ids:
        with connection.cursor() as cursor:
            cursor.execute(_FORGET_CHECKS, [list(leg_ids)])


def held(leg_ids: Sequence[UUID], *, state: State, claim: UUID) -> set[UUID]:
    """Lock those legs that the claim still has in its working state, and return them."""
    if not leg_ids:
        return set()
    return {job.id for job in lock_claimed_jobs(leg_ids, state=state, claim=claim)}


def hold(leg_ids: Sequence[UUID], *, claim: UUID, lease_seconds: float) -> None:
    """Claim legs that are already in their working state; the caller holds their row locks."""
    if leg_ids:
        with connection.cursor() as cursor:
            parameters: dict[str, Any] = {
                "ids": list(leg_ids),
                "claim": claim,
                "lease": lease_seconds,
            }
            cursor.execute(_HOLD, parameters)


def queue_again(leg_ids: Sequence[UUID], *, seconds: float = 0) -> None:
    """Put legs at the end of the queue, or let them wait; the caller holds their row locks."""
    if leg_ids:
        with connection.cursor() as cursor:
            cursor.execute(_QUEUE_AGAIN, {"ids": list(leg_ids), "delay": seconds})


def wait(leg_ids: Sequence[UUID]) -> None:
    """Let legs wait until somebody makes them due; the caller holds their row locks."""
    if leg_ids:
        with connection.cursor() as cursor:
            cursor.execute(_WAIT, {"ids": list(leg_ids)})


def fail(leg_ids: Sequence[UUID], *, reason: str) -> None:
    """Count an attempt at legs that fail alone: they wait longer, and are parked at last."""
    token = ids.uuid7()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"ids": list(leg_ids), "token": token})
        taken = tuple(row[0] for row in cursor.fetchall())
    claims.fail(Claim(table=TABLE, token=token, ids=taken), taken, reason=reason)


def park(leg_ids: Sequence[UUID], *, claim: UUID, reason: str) -> None:
    """Leave claimed legs to a person at once: whatever could be tried was tried."""
    if leg_ids:
        taken = Claim(table=TABLE, token=claim, ids=tuple(leg_ids))
        claims.fail(taken, taken.ids, reason=reason, attempts_max=1)


def take_account(leg_id: UUID, account: AccountAddress, *, device: str) -> None:
    """Write from which account of ours a leg pays, and with which device; its row is locked."""
    row: list[Any] = [
        account.account_number,
        account.account_type,
        account.ifsc,
        device,
        leg_id,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_ACCOUNT, row)


def note_deemed(leg_id: UUID) -> None:
    """
    Note that the switch deems a payment made that our merchant or customer is to get.

    It is no end: that money arrived, only the confirmation, a check or the file will say. The
    caller holds the leg's row lock.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NOTE_DEEMED, {"id": leg_id, "code": DEEMED})


def wake_reversals(transaction_ids: Sequence[str]) -> None:
    """
    Make the reversals due that wait for these transactions' legs.

    Called in the transaction in which a leg leaves POSTING or UNKNOWN.
    """
    if transaction_ids:
        with connection.cursor() as cursor:
            cursor.execute(_WAKE_REVERSALS, {"transactions": list(transaction_ids)})
