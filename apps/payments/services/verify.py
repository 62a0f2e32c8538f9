"""Verify the payer's PIN: claim the account's PIN row, ask the token, record the verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.accounts import selectors as accounts
from apps.accounts.checking import Standing, standing_of
from apps.accounts.contracts import PinResult, Try, TryAsk, TryState
from apps.accounts.models import BankAccount
from apps.accounts.services import pin
from apps.common import ids
from apps.common.faults import fault_point
from apps.payments import selectors
from apps.payments.contracts import Job, Move
from apps.payments.services import answering, legs
from apps.payments.services.lease import Lease
from apps.payments.states import Role, State
from apps.upi.contracts import DueAnswer
from apps.upi.services.answers import send_answers
from hsm.pin import PinBinding

# upi-protocol 4.1: internal exception on the remitter's side.
TOO_LATE = "IR"
# A block that never came, as against one that is gone (upi-protocol 5.5).
NO_BLOCK = "XF"
# Between two calls of the token the lease is looked at.
PINS_AT_ONCE = 16


@dataclass(slots=True)
class _Taken:
    """What one claim took: tries for the token, and what was decided without it."""

    claim: UUID
    tries: list[Try] = field(default_factory=list)
    leg_of: dict[UUID, UUID] = field(default_factory=dict)
    decided: int = 0
    answers: list[DueAnswer] = field(default_factory=list)


def verify_due(only: Sequence[UUID] | None = None) -> int:
    """
    Verify the PINs of debits that wait for it, decline what needs no token; return how many.

    Of each account one is verified at a time; the others keep their place in the queue. The debit
    of a refund has no PIN: the merchant's request stands for it.
    """
    lease = Lease(settings.LEASE_PIN_SECONDS)
    taken = _take_due(ids.uuid7(), only)
    answers = list(taken.answers)
    if taken.tries:
        fault_point("debit.pin_claimed")
        results = _ask_token(taken.tries, lease)
        fault_point("debit.pin_verified")
        answers += _record(taken, results)
        fault_point("debit.pin_recorded")
    if answers:
        send_answers(answers)
        fault_point("debit.decline_answered")
    return len(taken.tries) + taken.decided


@transaction.atomic(durable=True)
def _take_due(claim: UUID, only: Sequence[UUID] | None) -> _Taken:
    taken = _Taken(claim)
    jobs = selectors.lock_due_jobs(
        role=Role.DEBIT,
        states=[State.RECEIVED, State.VERIFYING],
        limit=settings.CLAIM_PIN_MAX,
        only=only,
    )
    approved = [job for job in jobs if job.is_refund and not (job.is_late or job.code)]
    legs.move([Move.of(job, State.VERIFIED, due_in_seconds=0) for job in approved])
    jobs = [job for job in jobs if job not in approved]
    # One transaction locks PIN rows once, in their order: first those that are given up.
    refused = _refuse_unasked(jobs)
    if jobs and not refused:
        refused = _take_tries(taken, jobs)
    taken.decided = len(refused) + len(approved)
    taken.answers = _decline(refused, claim=claim)
    fault_point("debit.pin_claiming")
    return taken


def _take_tries(taken: _Taken, jobs: Sequence[Job]) -> list[tuple[Job, str]]:
    """Ask for the PIN rows, put the legs that got one under our claim, return the refused."""
    by_exchange = {_exchange(job): job for job in jobs}
    tries = pin.take_tries([_ask(job) for job in jobs], claim=taken.claim)
    by_state: dict[TryState, list[Try]] = {state: [] for state in TryState}
    for each in tries:
        by_state[each.state].append(each)
    taken.tries = by_state[TryState.TAKEN]
    taken.leg_of = {each.exchange_id: by_exchange[each.exchange_id].id for each in taken.tries}
    legs.queue_again([by_exchange[each.exchange_id].id for each in by_state[TryState.WAITING]])
    _begin([by_exchange[each.exchange_id] for each in taken.tries], claim=taken.claim)
    return [(by_exchange[each.exchange_id], each.code) for each in by_state[TryState.REFUSED]]


def _ask_token(tries: Sequence[Try], lease: Lease) -> list[PinResult]:
    """Ask the token for as many as half the lease allows; no transaction is open."""
    results: list[PinResult] = []
    for start in range(0, len(tries), PINS_AT_ONCE):
        if lease.is_half_over:
            break
        results += pin.verify(tries[start : start + PINS_AT_ONCE])
    return results


def _refuse_unasked(jobs: Sequence[Job]) -> list[tuple[Job, str]]:
    """Return the legs that are declined without a try: too late, or refused at their receipt."""
    refused = [
        (job, TOO_LATE if job.is_late else job.code) for job in jobs if job.is_late or job.code
    ]
    blockless = [job.account_number for job, code in refused if code == NO_BLOCK]
    if blockless:
        known = accounts.accounts_by_number(set(blockless))
        standing = standing_of(known.values())
        refused = [
            (job, _account_code(job, known, standing) or code) if code == NO_BLOCK else (job, code)
            for job, code in refused
        ]
    if refused:
        # A row that one of them holds is still verified, for the try alone; other blocks go.
        pin.leave([_exchange(job) for job, _ in refused])
    return refused


def _account_code(job: Job, known: Mapping[str, BankAccount], standing: Standing) -> str:
    """Return why the account itself is declined: it is looked at before the credential."""
    account = known.get(job.account_number)
    return standing.debit_refusal(account, mobile=job.device_mobile or None)


def _begin(jobs: Sequence[Job], *, claim: UUID) -> None:
    """Put legs under our claim; those whose claim ended are in their working state already."""
    fresh = [job for job in jobs if job.state is State.RECEIVED]
    again = [job.id for job in jobs if job.state is State.VERIFYING]
    lease = settings.LEASE_PIN_SECONDS
    legs.move([Move.of(job, State.VERIFYING, claim=claim, due_in_seconds=lease) for job in fresh])
    legs.hold(again, claim=claim, lease_seconds=lease)


def _decline(refused: Sequence[tuple[Job, str]], *, claim: UUID) -> list[DueAnswer]:
    legs.move([Move.of(job, State.DECLINED, code=code) for job, code in refused])
    return answering.record_leg_answers(refused, claim=claim)


@transaction.atomic(durable=True)
def _record(taken: _Taken, results: Sequence[PinResult]) -> list[DueAnswer]:
    """
    Write verdict, tries and the deletion of the block as one; return what declines.

    A leg that was refused meanwhile is no longer ours; its PIN row still gets the verdict.
    """
    leg_ids = [taken.leg_of[result.exchange_id] for result in results]
    held = selectors.lock_claimed_jobs(leg_ids, state=State.VERIFYING, claim=taken.claim)
    outcomes = pin.record_verdicts(results, claim=taken.claim)
    codes = {outcome.exchange_id: outcome.code for outcome in outcomes if outcome.is_ours}
    ours = [job for job in held if _exchange(job) in codes]
    right = [job for job in ours if not codes[_exchange(job)]]
    wrong = [(job, codes[_exchange(job)]) for job in ours if codes[_exchange(job)]]
    legs.move([Move.of(job, State.VERIFIED, due_in_seconds=0) for job in right])
    legs.postpone(_unasked(taken, results), claim=taken.claim, seconds=0)
    answers = _decline(wrong, claim=taken.claim)
    fault_point("debit.pin_recording")
    return answers


def _unasked(taken: _Taken, results: Sequence[PinResult]) -> list[UUID]:
    """Return the legs that half the lease did not reach: due again, their try already paid."""
    asked = {result.exchange_id for result in results}
    return [leg_id for exchange_id, leg_id in taken.leg_of.items() if exchange_id not in asked]


def _ask(job: Job) -> TryAsk:
    facts = job.transaction
    return TryAsk(
        exchange_id=_exchange(job),
        account_number=job.account_number,
        mobile=job.device_mobile,
        binding=PinBinding(
            api="ReqPay",
            type="DEBIT",
            txn_id=facts.id,
            amount=facts.amount.as_rupees(),
            payer=facts.payer_address,
            payee=facts.payee_address,
        ),
    )


def _exchange(job: Job) -> UUID:
    assert job.exchange_id is not None, "the switch asked for the debit"
    return job.exchange_id
