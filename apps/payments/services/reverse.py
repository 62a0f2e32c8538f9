"""
Undo a debit or a credit, or see to it that it never happens (payments.md 7).

Before its money moves, the original is refused under its own row lock. One that never came gets a
tombstone: its key is taken, and the late original is declined. Only a posted debit is paid back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.conf import settings

from apps.accounts import selectors as accounts
from apps.accounts.core_banking.base import Order
from apps.accounts.services import pin
from apps.common.faults import fault_point
from apps.payments import selectors
from apps.payments.contracts import Job, NewLeg
from apps.payments.services import legs, posting
from apps.payments.services.debit import limit_ask
from apps.payments.services.opening import open_leg
from apps.payments.services.posting import Batch, Decision
from apps.payments.states import BEFORE_POSTING, UNDECIDED, Role, State
from apps.risk.services import limits
from apps.upi.services.answers import send_answers


@dataclass(frozen=True, slots=True)
class _Words:
    """
    What the switch is told, by the side that is undone (upi-protocol 4.3).

    `not_done`: it had not been done. `not_found`: we never heard of it. `refused`: the original's
    own answer.
    """

    not_done: str
    not_found: str
    refused: str


_WORDS = {
    Role.DEBIT: _Words(not_done="ND", not_found="OD", refused="XB"),
    Role.CREDIT: _Words(not_done="NC", not_found="OC", refused="XC"),
}
# A credit that was done stands: the beneficiary keeps it.
_KEPT = "CS"


@dataclass(slots=True)
class _Plan:
    """What a batch of reversals comes to; `originals` are those whose debit is paid back."""

    batch: Batch
    originals: dict[UUID, Job]
    refused: dict[UUID, Decision] = field(default_factory=dict)
    waiting: list[UUID] = field(default_factory=list)
    # What core banking, while it is away, cannot pay back yet.
    postponed: list[UUID] = field(default_factory=list)


def reverse_due(only: Sequence[UUID] | None = None) -> int:
    """Decide the reversals that wait for it, answer, and return how many were decided."""
    originals: dict[UUID, Job] = {}
    decided, answers = posting.post(
        admit=lambda batch: _admit(_Plan(batch, originals), only),
        complete=lambda decisions: _complete(decisions, originals),
    )
    if answers:
        fault_point("reversal.posted")
        send_answers(answers)
        fault_point("reversal.answered")
    return decided


def _admit(plan: _Plan, only: Sequence[UUID] | None) -> list[Order]:
    """Lock the originals, then their reversals, and decide each pair."""
    due = selectors.due_jobs(
        role=Role.REVERSAL,
        states=[State.WAITING_ORIGINAL],
        limit=settings.CLAIM_POST_MAX,
        only=only,
    )
    if not due:
        return []
    originals = {
        (job.transaction_id, job.role): job
        for job in selectors.lock_jobs_of(
            [job.transaction_id for job in due], [Role.DEBIT, Role.CREDIT]
        )
    }
    reversals = selectors.lock_due_jobs(
        role=Role.REVERSAL,
        states=[State.WAITING_ORIGINAL],
        limit=settings.CLAIM_POST_MAX,
        only=[job.id for job in due],
    )
    admitted = []
    for reversal in reversals:
        role = Role(reversal.kind)
        original = originals.get((reversal.transaction_id, role))
        order = _decide(plan, reversal, original)
        if order is not None:
            admitted.append(order)
        if role is Role.DEBIT and reversal.is_on_us:
            _refuse_credit(plan, reversal, originals.get((reversal.transaction_id, Role.CREDIT)))
    legs.wait(plan.waiting)
    legs.queue_again(plan.postponed, seconds=settings.HOST_RETRY_SECONDS)
    plan.batch.decided.extend(plan.refused.values())
    # Their blocks are not needed; a PIN row that one of them holds is verified for the try alone.
    pin.leave(
        [
            refused.job.exchange_id
            for refused in plan.refused.values()
            if refused.job.role is Role.DEBIT and refused.job.exchange_id is not None
        ]
    )
    return admitted


def _decide(plan: _Plan, reversal: Job, original: Job | None) -> Order | None:
    """Decide one reversal; return the order that pays a posted debit back."""
    role = Role(reversal.kind)
    words = _WORDS[role]
    if original is None:
        original = _tombstone(reversal, role)
        if original is None:
            _end(plan, reversal, State.NOT_DONE, words.not_found)
            return None
    if original.state in UNDECIDED:
        plan.waiting.append(reversal.id)
    elif original.state in BEFORE_POSTING[role]:
        _refuse(plan, original)
        _end(plan, reversal, State.NOT_DONE, words.not_done)
    elif original.state is not State.POSTED:
        was_asked = original.exchange_id is not None
        _end(plan, reversal, State.NOT_DONE, words.not_done if was_asked else words.not_found)
    elif role is Role.CREDIT:
        _end(plan, reversal, State.KEPT, _KEPT)
    elif not posting.bank_is_available():
        plan.postponed.append(reversal.id)
    else:
        # The account that was debited, whatever the reversal's message says.
        reversal = replace(reversal, account_number=original.account_number)
        plan.batch.jobs[reversal.id] = reversal
        plan.originals[reversal.id] = original
        return posting.order_of(reversal, account_number=original.account_number)
    return None


def _tombstone(reversal: Job, role: Role) -> Job | None:
    """
    Take the key of an original that has not come, so that it is refused when it does.

    Return the original if it came at this very moment.
    """
    leg = NewLeg(
        role=role,
        kind=role,
        state=State.REFUSED_BY_REVERSAL,
        code=_WORDS[role].refused,
        account_number=reversal.account_number if reversal.kind == role else "",
        is_due=False,
    )
    opened = open_leg(reversal.transaction, leg)
    return None if opened.is_new else selectors.job(opened.id)


def _refuse_credit(plan: _Plan, reversal: Job, credit: Job | None) -> None:
    """Keep the money that goes back from a payee of ours, even by a late message."""
    if credit is None:
        credit = _tombstone(reversal, Role.CREDIT)
    if credit is not None and credit.state in BEFORE_POSTING[Role.CREDIT]:
        _refuse(plan, credit)


def _refuse(plan: _Plan, original: Job) -> None:
    if original.id not in plan.refused:
        code = _WORDS[original.role].refused
        plan.refused[original.id] = Decision(original, State.REFUSED_BY_REVERSAL, code)


def _end(plan: _Plan, reversal: Job, state: State, code: str) -> None:
    plan.batch.decided.append(Decision(reversal, state, code))


def _complete(decisions: Sequence[Decision], originals: Mapping[UUID, Job]) -> None:
    """Restore the day's limit: money that came back was not spent."""
    reversed_debits = [
        originals[each.job.id]
        for each in decisions
        if each.state is State.POSTED
        and each.job.id in originals
        and not originals[each.job.id].is_refund
    ]
    if reversed_debits:
        known = accounts.accounts_by_number({job.account_number for job in reversed_debits})
        limits.give_back([limit_ask(job, known) for job in reversed_debits])
