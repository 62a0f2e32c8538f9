"""What debits, credits and reversals share: orders to core banking, and the record of outcomes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.accounts.core_banking.base import (
    OFFLINE,
    Order,
    OrderKind,
    Outcome,
    Result,
    core_banking,
)
from apps.common import ids
from apps.messaging import outbox
from apps.payments import events, selectors
from apps.payments.contracts import Job, Move
from apps.payments.messages import APPROVED
from apps.payments.services import answering, legs
from apps.payments.states import UNDECIDED, Role, State
from apps.upi.contracts import DueAnswer

_STATES = {
    Result.POSTED: State.POSTED,
    Result.DECLINED: State.DECLINED,
    Result.UNKNOWN: State.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a leg, and the code that the switch is told."""

    job: Job
    state: State
    code: str
    transfer_id: UUID | None = None


@dataclass(slots=True)
class Batch:
    """Legs that are decided together: those ordered to be posted, and what is decided already."""

    claim: UUID
    jobs: dict[UUID, Job] = field(default_factory=dict)
    decided: list[Decision] = field(default_factory=list)


def post(
    *,
    admit: Callable[[Batch], Sequence[Order]],
    complete: Callable[[Sequence[Decision]], None],
) -> tuple[int, list[DueAnswer]]:
    """
    Post what `admit` allows; return how many legs were decided, and the answers to send.

    `admit` locks due legs and fills the batch. `complete` does what else belongs into the
    transaction that records the decisions. Called with no transaction open.
    """
    bank = core_banking()
    batch = Batch(claim=ids.uuid7())
    early: list[Decision] = []
    answers: list[DueAnswer] = []

    def admit_now() -> Sequence[Order]:
        orders = admit(batch)
        if not bank.posts_at_once:
            # The call to a host comes between two transactions: what needs none is ended here.
            early.extend(batch.decided)
            batch.decided = []
            answers.extend(record(early, complete, claim=batch.claim))
            _begin(batch)
        return orders

    def record_now(outcomes: Sequence[Outcome]) -> list[DueAnswer]:
        decisions = [*batch.decided, *_decisions(batch, outcomes)]
        held = None if bank.posts_at_once else batch.claim
        return record(decisions, complete, claim=batch.claim, held=held)

    def still_ours(leg_ids: Sequence[UUID]) -> set[UUID]:
        return legs.held(leg_ids, state=State.POSTING, claim=batch.claim)

    answers += bank.work(admit=admit_now, still_ours=still_ours, record=record_now)
    return len(early) + len(batch.decided) + len(batch.jobs), answers


def bank_is_available() -> bool:
    """Tell whether core banking has a chance to answer a new order."""
    return core_banking().is_available()


def offline_code(role: Role) -> str:
    """Return with what a new leg is declined while core banking is away; "" when it is there."""
    return "" if bank_is_available() else OFFLINE[OrderKind(role)]


def leg_key(job: Job) -> str:
    """Return what makes a leg's transfer happen once for ever."""
    return f"{job.role}/{job.kind}/{job.transaction_id}"


def order_of(job: Job, *, account_number: str) -> Order:
    """Return the order to core banking that a leg stands for."""
    return Order(
        leg_id=job.id,
        transfer_key=leg_key(job),
        kind=OrderKind(job.role),
        account_number=account_number,
        amount=job.transaction.amount,
        rrn=job.transaction.rrn,
        txn_id=job.transaction_id,
    )


def _begin(batch: Batch) -> None:
    """Write POSTING, with a lease, before the host is called."""
    lease = settings.LEASE_POST_SECONDS
    legs.move(
        [
            Move.of(job, State.POSTING, claim=batch.claim, due_in_seconds=lease)
            for job in batch.jobs.values()
        ]
    )
    batch.jobs = {key: replace(job, state=State.POSTING) for key, job in batch.jobs.items()}


def _decisions(batch: Batch, outcomes: Sequence[Outcome]) -> list[Decision]:
    return [
        Decision(
            batch.jobs[outcome.order.leg_id],
            _STATES[outcome.result],
            outcome.code,
            outcome.transfer_id,
        )
        for outcome in outcomes
    ]


def record(
    decisions: Sequence[Decision],
    complete: Callable[[Sequence[Decision]], None],
    *,
    claim: UUID,
    held: UUID | None = None,
) -> list[DueAnswer]:
    """
    Write states, history, answers and facts of decided legs; return the answers to send.

    The caller's transaction is open. Without `held` it holds the legs' row locks, so that nobody
    else can have moved them; with it, legs that another claim took over meanwhile are left alone.
    """
    moved = legs.move([_move(each) for each in decisions], claim=held)
    ours = [each for each in decisions if each.job.id in moved]
    assert held or len(ours) == len(decisions), "the rows are locked, so each is as we saw it"
    known = [each for each in ours if each.state is not State.UNKNOWN]
    answers = answering.record_leg_answers([(each.job, each.code) for each in known], claim=claim)
    done = [each.job for each in ours if each.state is State.POSTED]
    outbox.publish([events.posted(job) for job in done])
    legs.wake_reversals([each.job.transaction_id for each in known if each.job.state in UNDECIDED])
    complete(ours)
    return answers


def call_unknown(role: Role, only: Sequence[UUID] | None = None) -> int:
    """
    Call postings unknown whose lease is over: the host was asked and nobody recorded its word.

    They are never sent again. What the host knows of them, its enquiry or its file says.
    """
    with transaction.atomic(durable=True):
        jobs = selectors.lock_due_jobs(
            role=role, states=[State.POSTING], limit=settings.CLAIM_POST_MAX, only=only
        )
        legs.move([_move(Decision(job, State.UNKNOWN, "")) for job in jobs])
    return len(jobs)


def _move(decision: Decision) -> Move:
    is_unknown = decision.state is State.UNKNOWN
    first = settings.HOST_ENQUIRY_SECONDS[0]
    made = Move.of(
        decision.job,
        decision.state,
        code=_code(decision),
        due_in_seconds=first if is_unknown else None,
    )
    return replace(made, transfer_id=decision.transfer_id)


def _code(decision: Decision) -> str:
    return APPROVED if decision.state is State.POSTED else decision.code
