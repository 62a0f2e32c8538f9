"""Send what we begin to the switch, each once: payments, refunds and collects."""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.common import clock
from apps.common.faults import fault_point
from apps.payments.collect_messages import collect_request
from apps.payments.contracts import Job, Move
from apps.payments.messages import pay_request, refund_request
from apps.payments.services import endings, legs, refunds
from apps.payments.services.endings import End
from apps.payments.services.lease import Lease
from apps.payments.states import Kind, Role, State
from apps.upi import timers
from apps.upi.contracts import ReqPay, Request, SendOutcome, SendResult
from apps.upi.services import pin_blocks
from apps.upi.services.requests import open_requests, send_requests
from apps.upi.timer_models import Timer
from apps.vpa.selectors import resolve_many

# upi-protocol 4.1, PSP time-out: the credential's minute is over and nothing was sent.
CREDENTIAL_GONE = "UP"
# upi-protocol 4.7 and 4.8: a negative Ack that says "I have it already" is no failure.
DUPLICATE_CODES = frozenset({"U01", "U35", "U36", "PM16"})
RESEND_AFTER_SECONDS = 1.0


def send_due(role: Role, only: Sequence[UUID] | None = None) -> int:
    """Send what customers and merchants began, and return how many were taken in hand."""
    lease = Lease(settings.LEASE_WIRE_SECONDS)
    claim, jobs, requests = _claim_due(role, only)
    if requests:
        fault_point("psp.claimed")
        outcomes = unsent(requests) if lease.is_half_over else send_requests(requests)
        fault_point("psp.sent")
        _record(claim, jobs, outcomes)
        fault_point("psp.recorded")
    return len(jobs)


@transaction.atomic(durable=True)
def _claim_due(
    role: Role, only: Sequence[UUID] | None
) -> tuple[UUID, dict[UUID, Job], list[Request]]:
    """Take legs in hand: from here on their ReqPay may have left, and is never sent again."""
    claim, jobs = legs.claim_due(
        role=role,
        states=[State.CREATED],
        working=State.SENDING,
        limit=settings.CLAIM_SEND_MAX,
        lease_seconds=settings.LEASE_WIRE_SECONDS,
        only=only,
        renews_exchange=True,
    )
    if not jobs:
        return claim.token, {}, []
    messages = _messages(jobs)
    end_unsent([job for job in jobs if job.id not in messages], claim=claim.token)
    requests = [
        Request(exchange_id=_exchange(job), message=messages[job.id])
        for job in jobs
        if job.id in messages
    ]
    open_requests(requests)
    fault_point("psp.claiming")
    return claim.token, {_exchange(job): job for job in jobs}, requests


def _messages(jobs: Sequence[Job]) -> dict[UUID, ReqPay]:
    """Return the request of each leg; a payment whose credential is gone has none."""
    at = clock.now()
    by_kind = {kind: [job for job in jobs if job.kind == kind] for kind in Kind}
    blocks = pin_blocks.load([job.id for job in by_kind[Kind.PAY]])
    made = {
        job.id: pay_request(job, blocks[job.id], at=at)
        for job in by_kind[Kind.PAY]
        if job.id in blocks
    }
    payees = resolve_many([job.transaction.payee_address for job in by_kind[Kind.COLLECT]])
    for job in by_kind[Kind.COLLECT]:
        if (payee := payees.get(job.transaction.payee_address)) is not None:
            made[job.id] = collect_request(job, payee, at=at)
    originals = refunds.originals_of([job.id for job in by_kind[Kind.REFUND]])
    for job in by_kind[Kind.REFUND]:
        made[job.id] = refund_request(job, originals[job.id], at=at)
    return made


def unsent(requests: Sequence[Request]) -> list[SendOutcome]:
    """Return what is said of requests whose claim is too old to begin: no byte has left."""
    return [
        SendOutcome(exchange_id=request.exchange_id, result=SendResult.NOT_SENT)
        for request in requests
    ]


def _exchange(job: Job) -> UUID:
    assert job.exchange_id is not None, "the claim gave it one"
    return job.exchange_id


def end_unsent(jobs: Sequence[Job], *, claim: UUID) -> None:
    """Fail what never left and never can: its credential, or its payee's address, is gone."""
    ends = [Move.of(job, State.FAILED, code=CREDENTIAL_GONE) for job in jobs]
    _end(ends, jobs, claim=claim)


@transaction.atomic(durable=True)
def _record(claim: UUID, jobs: dict[UUID, Job], outcomes: Sequence[SendOutcome]) -> None:
    """
    Record what the sending itself proved.

    An answer of the switch may have come before; it has cleared the claim, and stands.
    """
    waiting, moves = [], []
    for outcome in outcomes:
        job = jobs[outcome.exchange_id]
        if outcome.result is SendResult.ACKED:
            waiting.append(job)
        else:
            moves.append(_consequence(job, outcome))
    patience: dict[float, list[UUID]] = {}
    for job in waiting:
        patience.setdefault(patience_seconds(job), []).append(job.id)
    for seconds, leg_ids in patience.items():
        legs.postpone(leg_ids, claim=claim, seconds=seconds)
    _end(moves, list(jobs.values()), claim=claim)
    unsent = {move.leg_id for move in moves if move.target is State.CREATED}
    pin_blocks.delete([job.id for job in jobs.values() if job.id not in unsent])
    fault_point("psp.recording")


def _consequence(job: Job, outcome: SendOutcome) -> Move:
    """Silence, and a duplicate's negative Ack, leave us not knowing; no byte left is known."""
    if outcome.result is SendResult.NOT_SENT:
        return Move.of(job, State.CREATED, due_in_seconds=RESEND_AFTER_SECONDS)
    if outcome.result is SendResult.NACKED and outcome.code not in DUPLICATE_CODES:
        return Move.of(job, State.FAILED, code=outcome.code)
    return Move.of(job, State.UNKNOWN, due_in_seconds=patience_seconds(job))


def patience_seconds(job: Job) -> float:
    """
    Return after how many seconds an end that nobody told is asked about.

    It counts from the sending; of a collect, whose payer has until its expiry, from now.
    """
    first = timers.seconds(Timer.CHECK_FIRST_AFTER)
    if job.expires_at is None:
        return first
    left = (job.expires_at - clock.now()).total_seconds()
    return max(0.0, left + first)


def _end(moves: Sequence[Move], jobs: Sequence[Job], *, claim: UUID) -> None:
    """Move the legs, and do what follows for those that ended."""
    moved = legs.move(moves, claim=claim)
    failed = {
        move.leg_id: move.code
        for move in moves
        if move.leg_id in moved and move.target is State.FAILED
    }
    endings.follow([End(job, State.FAILED, failed[job.id]) for job in jobs if job.id in failed])
