"""Ask the switch what became of a payment, take its answer, and answer when it asks us."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction

from apps.common import clock, ids
from apps.common.faults import fault_point
from apps.payments import messages, selectors
from apps.payments.contracts import Job
from apps.payments.errors import TransactionDiffersError, TransactionUnknownError
from apps.payments.services import legs
from apps.payments.services.conclude import Word, conclude
from apps.payments.services.lease import Lease
from apps.payments.services.receive import check_content
from apps.payments.services.send import patience_seconds, unsent
from apps.payments.states import Kind, Role, State, is_final
from apps.upi import timers
from apps.upi.contracts import (
    Answer,
    Received,
    Ref,
    ReqChkTxn,
    Request,
    Resp,
    RespChkTxn,
    SendOutcome,
    SendResult,
    Txn,
)
from apps.upi.deadlines import answer_life
from apps.upi.services.answers import record_answers
from apps.upi.services.requests import open_within_budget, send_requests
from apps.upi.timer_models import Timer

log = structlog.get_logger(__name__)

# The switch does not find it, or cannot say yet: that proves nothing.
NOTHING_PROVED = frozenset({"U04", "U21", "U46", "U47", "U48", "NO"})
# Of the time that the rule allows for checks, when the second and the third are asked.
_SECOND_AT, _THIRD_AT = 8, 2
_UNSENT_AGAIN_SECONDS = 10.0
# A leg that waits in one of these for the end, and is due, has waited long enough.
_UNTOLD = (State.SENDING, State.AUTHORISED, State.UNKNOWN)
_INITIATORS = {Role.PAYER_PSP: "PAYER", Role.PAYEE_PSP: "PAYEE"}
_KINDS = frozenset(Kind)
# upi-protocol 4.1: only a status check may be answered so.
NOT_FOUND = "NO"

_PLAN = """
    WITH planned AS (
        INSERT INTO payments_statuscheck (exchange_id, leg_id, number)
        SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::smallint[]) RETURNING leg_id)
    UPDATE payments_leg SET checks = checks + 1 WHERE id IN (SELECT leg_id FROM planned)
"""
_FORGET = """
    WITH unsent AS (
        DELETE FROM payments_statuscheck WHERE exchange_id = ANY(%s) RETURNING leg_id)
    UPDATE payments_leg SET checks = checks - 1 WHERE id IN (SELECT leg_id FROM unsent)
"""
_SCHEDULE = """
    UPDATE payments_leg AS leg
       SET claim = NULL, next_action_at = clock_timestamp() + make_interval(secs => due.delay)
      FROM unnest(%(ids)s::uuid[], %(delays)s::float8[]) AS due (id, delay)
     WHERE leg.id = due.id AND leg.claim = %(claim)s
"""
_ANSWERED = """
    UPDATE payments_statuscheck SET answered_at = clock_timestamp(), answer_code = %s
     WHERE exchange_id = %s RETURNING leg_id
"""


def ask_about_payments(only: Sequence[UUID] | None = None) -> int:
    """Ask about what payers began or agreed to, and nobody has told us the end of."""
    return _ask_due(Role.PAYER_PSP, only)


def ask_about_authorised(only: Sequence[UUID] | None = None) -> int:
    """Ask about payments to our addresses, and collects of ours, that nobody has confirmed."""
    return _ask_due(Role.PAYEE_PSP, only)


def _ask_due(role: Role, only: Sequence[UUID] | None) -> int:
    lease = Lease(settings.LEASE_WIRE_SECONDS)
    claim, jobs, requests = _plan_due(role, only)
    if requests:
        fault_point("check.planned")
        outcomes = unsent(requests) if lease.is_half_over else send_requests(requests)
        fault_point("check.sent")
        _record(claim, jobs, outcomes)
        fault_point("check.recorded")
    return len(jobs)


@transaction.atomic(durable=True)
def _plan_due(
    role: Role, only: Sequence[UUID] | None
) -> tuple[UUID, dict[UUID, Job], list[Request]]:
    """Write down which checks are asked before one is sent: at most three of a leg."""
    claim, jobs = legs.claim_due(
        role=role,
        states=_UNTOLD,
        working=State.UNKNOWN,
        limit=settings.CLAIM_SEND_MAX,
        lease_seconds=settings.LEASE_WIRE_SECONDS,
        only=only,
    )
    early = {job.id: _wait(job) for job in jobs if _wait(job) > 0}
    _schedule(early, claim=claim.token)
    spent = [job.id for job in jobs if job.checks >= settings.UPI_CHECKS_MAX]
    # The settlement file is next; until then the leg is listed with its owner.
    _schedule(dict.fromkeys(spent), claim=claim.token)
    asked = {ids.uuid7(): job for job in jobs if job.id not in early and job.id not in spent}
    at = clock.now()
    requests = [
        Request(
            exchange_id=exchange_id,
            message=messages.check_request(job, initiated_by=_INITIATORS[role], at=at),
        )
        for exchange_id, job in asked.items()
    ]
    refused = open_within_budget(requests)
    delays = {
        asked.pop(exchange_id).id: (error.retry_at - at).total_seconds()
        for exchange_id, error in refused.items()
    }
    _schedule(delays, claim=claim.token)
    if asked:
        _plan(asked)
        fault_point("check.planning")
    return claim.token, asked, [each for each in requests if each.exchange_id in asked]


def _wait(job: Job) -> float:
    """Return how many seconds the rule still forbids the first check of what was just sent."""
    if job.source is not State.SENDING:
        return 0
    idle = job.idle_seconds if job.expires_at is None else 0
    return max(0, patience_seconds(job) - idle)


def _plan(asked: dict[UUID, Job]) -> None:
    rows: list[Any] = [
        list(asked),
        [job.id for job in asked.values()],
        [job.checks + 1 for job in asked.values()],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_PLAN, rows)


@transaction.atomic(durable=True)
def _record(claim: UUID, jobs: dict[UUID, Job], outcomes: Sequence[SendOutcome]) -> None:
    """Say when to ask again. A check that never left does not count."""
    unsent = [outcome.exchange_id for outcome in outcomes if outcome.result is SendResult.NOT_SENT]
    if unsent:
        with connection.cursor() as cursor:
            cursor.execute(_FORGET, [unsent])
    delays = {job.id: _next_delay(job) for job in jobs.values()}
    delays |= {jobs[exchange_id].id: _UNSENT_AGAIN_SECONDS for exchange_id in unsent}
    _schedule(delays, claim=claim)


def _next_delay(job: Job) -> float | None:
    window = timers.seconds(Timer.CHECK_WINDOW)
    return {0: window / _SECOND_AT, 1: window / _THIRD_AT}.get(job.checks)


def _schedule(delays: Mapping[UUID, float | None], *, claim: UUID) -> None:
    if delays:
        parameters: dict[str, Any] = {
            "ids": list(delays),
            "delays": list(delays.values()),
            "claim": claim,
        }
        with connection.cursor() as cursor:
            cursor.execute(_SCHEDULE, parameters)


def take_answer(received: Received[RespChkTxn]) -> None:
    """
    Take what the switch says of a payment that we asked about.

    "Not found" and "not decided" prove nothing: the leg stays UNKNOWN.
    """
    resp = received.message.resp
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERED, [resp.err_code or resp.txn_resp_code or "", received.exchange_id])
        row = cursor.fetchone()
    if row is None:
        raise TransactionUnknownError
    job = selectors.lock_job(row[0])
    _check_question(received.message.txn, job)
    state = _state(job.role, resp)
    if state is None:
        if resp.result == "DEEMED":
            legs.note_deemed(job.id)
        log.info("check_proved_nothing", transaction_id=job.transaction_id, code=resp.err_code)
        return
    is_done = resp.result == "SUCCESS"
    check_content(received.message.txn, resp.refs, job.transaction, is_done=is_done)
    conclude([Word(job, state, resp.err_code or "")], source="RespChkTxn")


def _check_question(told: Txn, job: Job) -> None:
    """Refuse a word about another payment, or about another kind of one."""
    if told.org_txn_id != job.transaction_id:
        raise TransactionDiffersError("id")
    if told.sub_type not in {None, job.kind}:
        raise TransactionDiffersError("sub_type")


def _state(role: Role, resp: Resp) -> State | None:
    if resp.result == "SUCCESS":
        return State.SUCCESS if role is Role.PAYER_PSP else State.CONFIRMED
    if resp.result == "DEEMED":
        return State.DEEMED if role is Role.PAYER_PSP else None
    is_proof = resp.result == "FAILURE" and resp.err_code not in NOTHING_PROVED
    return State.FAILED if is_proof else None


def answer_switch(received: Received[ReqChkTxn]) -> None:
    """Tell the switch where our legs of a transaction stand; nothing is posted for it."""
    message = received.message
    jobs = selectors.jobs_of(
        [message.txn.org_txn_id or ""], [Role.DEBIT, Role.CREDIT, Role.REVERSAL]
    )
    asked = _asked(message.txn.sub_type or "", jobs)
    refs = [ref for job in asked if (ref := _reference(job, jobs))]
    answer = messages.check_answer(
        message.txn,
        message.head.msg_id,
        code="" if asked else NOT_FOUND,
        refs=tuple(refs),
        at=clock.now(),
    )
    expires_at = received.received_at + answer_life(is_reversal=True)
    record_answers(
        [Answer(exchange_id=received.exchange_id, message=answer, expires_at=expires_at)],
        claim=None,
    )


def _asked(sub_type: str, jobs: Sequence[Job]) -> list[Job]:
    """
    Return the legs that a check means, all of one transaction (upi-protocol 3.1).

    It names one leg (DEBIT, CREDIT), what has been reversed (REVERSAL), or both legs by what they
    are for (PAY, COLLECT, REFUND). A leg that only its reversal made does not know what it was for.
    """
    reversed_roles = {job.kind for job in jobs if job.role is Role.REVERSAL}
    return [
        job
        for job in jobs
        if job.role is not Role.REVERSAL
        and (
            sub_type in {job.role, job.wire_sub_type}
            or (sub_type == Role.REVERSAL and job.role in reversed_roles)
            or (sub_type in _KINDS and not job.wire_sub_type)
        )
    ]


def _reference(job: Job, jobs: Sequence[Job]) -> Ref | None:
    """Return what became of a leg, None while nobody knows."""
    if not is_final(job.role, job.state):
        return None
    reversals = [other for other in jobs if other.role is Role.REVERSAL and other.kind == job.role]
    reversed_code = reversals[0].code if reversals else None
    return messages.leg_reference(job, job.code, reversal_code=reversed_code or None)
