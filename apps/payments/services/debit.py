"""Take the money from the payer: the remitter's step after the PIN."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.conf import settings

from apps.accounts import checking
from apps.accounts import selectors as accounts
from apps.accounts.checking import Standing
from apps.accounts.core_banking.base import Order, core_banking
from apps.accounts.models import BankAccount
from apps.common.faults import fault_point
from apps.payments import selectors
from apps.payments.contracts import Job
from apps.payments.services import posting
from apps.payments.services.posting import Batch, Decision
from apps.payments.services.reading import device_mark, risk_scores
from apps.payments.services.verify import TOO_LATE
from apps.payments.states import Role, State
from apps.risk.contracts import LimitAsk
from apps.risk.services import limits, scores
from apps.upi.services.answers import send_answers


def post_due(only: Sequence[UUID] | None = None) -> int:
    """Debit the accounts whose PIN was right, answer, and return how many were decided."""
    taken: dict[UUID, LimitAsk] = {}
    decided, answers = posting.post(
        admit=lambda batch: _admit(batch, taken, only),
        complete=lambda decisions: _complete(decisions, taken),
    )
    if answers:
        fault_point("debit.posted")
        send_answers(answers)
        fault_point("debit.answered")
    return decided


def _admit(batch: Batch, taken: dict[UUID, LimitAsk], only: Sequence[UUID] | None) -> list[Order]:
    """
    Take the due legs and hold them against time, account and limits, in this order.

    The account was looked at before the PIN; it may have been frozen since. Funds are judged by
    core banking itself.
    """
    jobs = selectors.lock_due_jobs(
        role=Role.DEBIT, states=[State.VERIFIED], limit=settings.CLAIM_POST_MAX, only=only
    )
    known = accounts.accounts_by_number({job.account_number for job in jobs})
    standing = checking.standing_of(known.values())
    offline = posting.offline_code(Role.DEBIT)
    asks: dict[UUID, LimitAsk] = {}
    for job in jobs:
        account = known.get(job.account_number)
        code = TOO_LATE if job.is_late else standing.debit_refusal(account) or offline
        if code:
            batch.decided.append(Decision(job, State.DECLINED, code))
        else:
            batch.jobs[job.id] = job
            if not job.is_refund:
                asks[job.id] = limit_ask(job, known)
    refusals = dict(zip(asks, limits.take(list(asks.values())), strict=True))
    for leg_id, refusal in refusals.items():
        if refusal is None:
            taken[leg_id] = asks[leg_id]
        else:
            batch.decided.append(Decision(batch.jobs.pop(leg_id), State.DECLINED, refusal))
    _decline_suspects(batch, known, standing)
    return [posting.order_of(job, account_number=job.account_number) for job in batch.jobs.values()]


def _decline_suspects(batch: Batch, known: Mapping[str, BankAccount], standing: Standing) -> None:
    """
    Decline what the bank suspects, or what the switch scores too high.

    That is asked last, so that missing funds are named first. What a merchant gives back is not
    held against its score: nobody was asked to pay.
    """
    jobs = list(batch.jobs.values())
    is_scored_too_high = scores.are_too_high(
        [(() if job.is_refund else risk_scores(job), job.received_at) for job in jobs]
    )
    suspects = [
        (job, known[job.account_number])
        for job, is_too_high in zip(jobs, is_scored_too_high, strict=True)
        if is_too_high or standing.debit_risk(known[job.account_number])
    ]
    debits = [(account, job.transaction.amount) for job, account in suspects]
    # A host's balances are its own: of them we know nothing before it was asked.
    funds = checking.funds_refusals(debits) if core_banking().posts_at_once else [""] * len(debits)
    for (job, _), code in zip(suspects, funds, strict=True):
        del batch.jobs[job.id]
        batch.decided.append(Decision(job, State.DECLINED, code or checking.DEBIT_RISK))


def _complete(decisions: Sequence[Decision], taken: Mapping[UUID, LimitAsk]) -> None:
    """Give back what a debit took of its limits and did not use."""
    limits.give_back(
        [
            taken[each.job.id]
            for each in decisions
            if each.state is State.DECLINED and each.job.id in taken
        ]
    )


def limit_ask(job: Job, known: Mapping[str, BankAccount]) -> LimitAsk:
    """Return what a debit counts as: for the day on which the switch asked for it."""
    return LimitAsk(
        account_id=known[job.account_number].pk,
        amount=job.transaction.amount,
        at=job.received_at,
        device=device_mark(job),
    )
