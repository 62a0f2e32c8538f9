"""
Find out what became of postings that a host left unanswered, and cancel what stays unknown.

An enquiry that finds nothing proves nothing, so a debit or credit is cancelled at last:
CANCELLING is committed before the host hears of it, and from there nothing leads to POSTED. A
reversal is owed whatever happens, so it is only enquired (payments.md 4).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.conf import settings

from apps.accounts import selectors as accounts
from apps.accounts.core_banking.base import Order, Outcome, Result, core_banking
from apps.messaging.contracts import Claim
from apps.payments import selectors
from apps.payments.contracts import Job, Move
from apps.payments.services import legs, orders, posting
from apps.payments.services.debit import limit_ask
from apps.payments.services.outages import OUTAGES
from apps.payments.services.posting import Decision
from apps.payments.states import Role, State
from apps.risk.services import limits
from apps.upi.contracts import DueAnswer
from apps.upi.services.answers import send_answers


@dataclass(slots=True)
class _Taken:
    """The legs of one claim; the host is asked between the claim and the record."""

    role: Role
    state: State
    claim: UUID | None = None
    jobs: dict[UUID, Job] = field(default_factory=dict)

    def admit(self, only: Sequence[UUID] | None) -> list[Order]:
        """Claim due legs and return what the host is asked about."""
        claim: Claim
        claim, jobs = legs.claim_due(
            role=self.role,
            states=[self.state],
            working=self.state,
            limit=settings.CLAIM_POST_MAX,
            lease_seconds=settings.LEASE_POST_SECONDS,
            only=only,
        )
        self.claim = claim.token
        self.jobs = {job.id: job for job in jobs}
        return [posting.order_of(job, account_number=account) for job, account in _accounts(jobs)]

    def still_ours(self, leg_ids: Sequence[UUID]) -> set[UUID]:
        """Lock the legs that no other claim has taken over while the host was asked."""
        assert self.claim is not None, "the legs were claimed before the host was asked"
        return legs.held(leg_ids, state=self.state, claim=self.claim)

    @contextmanager
    def given_back_if_broken(self) -> Iterator[None]:
        """Have the legs due again when one of them breaks the record: so it is found by halving."""
        try:
            yield
        except OUTAGES:
            raise
        except Exception:
            if self.claim is not None:
                legs.postpone(list(self.jobs), claim=self.claim, seconds=0)
            raise


def enquire_due(role: Role, only: Sequence[UUID] | None = None) -> int:
    """Ask what became of unknown postings; return how many were taken in hand."""
    taken = _Taken(role, State.UNKNOWN)
    with taken.given_back_if_broken():
        answers = core_banking().enquire(
            admit=lambda: taken.admit(only),
            still_ours=taken.still_ours,
            record=lambda outcomes: _learn(taken, outcomes),
        )
    return _tell(taken, answers)


def cancel_due(role: Role, only: Sequence[UUID] | None = None) -> int:
    """Have the host undo or refuse what nobody can prove; return how many were taken in hand."""
    taken = _Taken(role, State.CANCELLING)
    with taken.given_back_if_broken():
        answers = core_banking().cancel(
            admit=lambda: taken.admit(only),
            still_ours=taken.still_ours,
            record=lambda outcomes: _cancelled(taken, outcomes),
        )
    return _tell(taken, answers)


def complete(decisions: Sequence[Decision]) -> None:
    """Do what else belongs to the end of a posting: orders are paid, limits given back."""
    orders.pay_orders(
        [
            each.job
            for each in decisions
            if each.job.role is Role.CREDIT and each.state is State.POSTED
        ]
    )
    unspent = [
        each.job
        for each in decisions
        if each.job.role is Role.DEBIT and each.state is State.DECLINED
    ]
    returned = [
        each.job.transaction_id
        for each in decisions
        if each.job.role is Role.REVERSAL and each.state is State.POSTED
    ]
    unspent += selectors.jobs_of(returned, [Role.DEBIT]) if returned else []
    unspent = [job for job in unspent if not job.is_refund]
    if unspent:
        known = accounts.accounts_by_number({job.account_number for job in unspent})
        limits.give_back([limit_ask(job, known) for job in unspent])


def end_proved(proved: Sequence[Decision], *, claim: UUID, held: UUID | None) -> list[DueAnswer]:
    """
    Record what is proved of UNKNOWN and CANCELLING legs; return the answers to send.

    What the host declined goes through CANCELLING, as every decline after UNKNOWN does. The
    caller's transaction is open; without `held` it holds the legs' row locks.
    """
    refused = [
        each for each in proved if each.state is State.DECLINED and each.job.state is State.UNKNOWN
    ]
    legs.move([Move.of(each.job, State.CANCELLING, claim=held) for each in refused], claim=held)
    decisions = [
        replace(each, job=replace(each.job, state=State.CANCELLING)) if each in refused else each
        for each in proved
    ]
    return posting.record(decisions, complete, claim=claim, held=held)


def _learn(taken: _Taken, outcomes: Sequence[Outcome]) -> list[DueAnswer]:
    """Record what enquiries proved; look again at the rest, or begin to cancel it."""
    assert taken.claim is not None, "the legs were claimed before the host was asked"
    proved = _proved(taken, outcomes)
    ended = {each.job.id for each in proved}
    silent = [each for each in outcomes if each.order.leg_id not in ended]
    given_up = [
        taken.jobs[each.order.leg_id]
        for each in silent
        if each.was_asked and _is_given_up(taken.jobs[each.order.leg_id])
    ]
    _begin_to_cancel(given_up, claim=taken.claim)
    left = {job.id for job in given_up}
    _ask_again(taken, [each for each in silent if each.order.leg_id not in left])
    return end_proved(proved, claim=taken.claim, held=taken.claim)


def _proved(taken: _Taken, outcomes: Sequence[Outcome]) -> list[Decision]:
    """Return what ends; a return that the host declines is owed all the same."""
    return [
        Decision(taken.jobs[each.order.leg_id], State(each.result), each.code, each.transfer_id)
        for each in outcomes
        if each.result is Result.POSTED
        or (each.result is Result.DECLINED and taken.role is not Role.REVERSAL)
    ]


def _is_given_up(job: Job) -> bool:
    """
    Say whether a debit or credit was enquired about for the last time.

    A host that would post what comes after its cancellation is never told to cancel: what it does
    not know it may yet do, and CANCELLING never becomes POSTED.
    """
    if not core_banking().cancels_for_good:
        return False
    return job.role is not Role.REVERSAL and job.checks + 1 >= len(settings.HOST_ENQUIRY_SECONDS)


def _begin_to_cancel(jobs: Sequence[Job], *, claim: UUID) -> None:
    """Commit CANCELLING: only then does the host hear of it, in a step of its own."""
    moved = legs.move(
        [
            Move.of(job, State.CANCELLING, due_in_seconds=settings.HOST_CANCEL_SECONDS[0])
            for job in jobs
        ],
        claim=claim,
    )
    legs.forget_checks(list(moved))


def _ask_again(taken: _Taken, outcomes: Sequence[Outcome]) -> None:
    """Let what stays unknown wait for its next enquiry; only a sent one counts."""
    assert taken.claim is not None, "the legs were claimed before the host was asked"
    asked = [each.order.leg_id for each in outcomes if each.was_asked]
    pauses = settings.HOST_ENQUIRY_SECONDS
    legs.count_checks(asked, claim=taken.claim)
    legs.postpone_each(
        {
            each.order.leg_id: _pause(taken.jobs[each.order.leg_id], each, pauses)
            for each in outcomes
        },
        claim=taken.claim,
    )


def _cancelled(taken: _Taken, outcomes: Sequence[Outcome]) -> list[DueAnswer]:
    """Record what the host acknowledged; repeat the rest, and at last leave it to a person."""
    assert taken.claim is not None, "the legs were claimed before the host was asked"
    ended = [
        Decision(taken.jobs[each.order.leg_id], State.DECLINED, each.code)
        for each in outcomes
        if each.result is Result.DECLINED
    ]
    silent = [each for each in outcomes if each.result is not Result.DECLINED]
    spent = [
        each.order.leg_id
        for each in silent
        if each.was_asked
        and taken.jobs[each.order.leg_id].checks + 1 >= len(settings.HOST_CANCEL_SECONDS)
    ]
    legs.count_checks([each.order.leg_id for each in silent if each.was_asked], claim=taken.claim)
    legs.park(spent, claim=taken.claim, reason="the host acknowledges no cancellation")
    legs.postpone_each(
        {
            each.order.leg_id: _pause(
                taken.jobs[each.order.leg_id], each, settings.HOST_CANCEL_SECONDS
            )
            for each in silent
            if each.order.leg_id not in spent
        },
        claim=taken.claim,
    )
    return end_proved(ended, claim=taken.claim, held=taken.claim)


def _pause(job: Job, outcome: Outcome, pauses: Sequence[float]) -> float:
    """Return the seconds before the next try, the last of them again and again."""
    if not outcome.was_asked:
        return settings.HOST_RETRY_SECONDS
    return pauses[min(job.checks + 1, len(pauses) - 1)]


def _accounts(jobs: Sequence[Job]) -> list[tuple[Job, str]]:
    """Name each leg's account: a reversal's is the one that was debited."""
    reversals = [job.transaction_id for job in jobs if job.role is Role.REVERSAL]
    debited = {
        job.transaction_id: job.account_number
        for job in (selectors.jobs_of(reversals, [Role.DEBIT]) if reversals else [])
    }
    return [
        (job, debited[job.transaction_id] if job.role is Role.REVERSAL else job.account_number)
        for job in jobs
    ]


def _tell(taken: _Taken, answers: Sequence[DueAnswer]) -> int:
    if answers:
        send_answers(answers)
    return len(taken.jobs)
