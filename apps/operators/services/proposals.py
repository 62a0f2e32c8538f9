"""What one officer proposes, another approves; nothing is done by the word of one person."""

import datetime as dt

from django.db import transaction

from apps.common import clock
from apps.operators.contracts import Author
from apps.operators.errors import (
    ChangedMeanwhileError,
    NotASecondPersonError,
    NothingChangesError,
    ProposalOverError,
)
from apps.operators.models import AuditEntry, Operator, Proposal
from apps.operators.services import audit

State = Proposal.State

# How long a proposal may be approved and done: after its day, where it has one.
LIFE = dt.timedelta(days=7)
# Whoever made an account, or changed its access, within so long stands behind what it does.
STANDS_BEHIND = dt.timedelta(days=30)
_GIVES_ACCESS = ("operator_added", "operator_changed", "second_factor_forgotten")


@transaction.atomic
def propose(
    action: Proposal.Action,
    subject: str,
    *,
    author: Author,
    content_digest: str = "",
    ends_at: dt.datetime | None = None,
) -> Proposal:
    """
    Enter a proposal, which does nothing by itself.

    Raises NothingChangesError when the same is proposed or approved already.
    """
    now = clock.now()
    proposer = Operator.objects.select_for_update(no_key=True).get(email=author.operator)
    is_open = Proposal.objects.filter(
        action=action,
        subject=subject,
        state__in=[State.PROPOSED, State.APPROVED],
        expires_at__gt=now,
    )
    if is_open.exists():
        raise NothingChangesError
    made = Proposal.objects.create(
        action=action,
        subject=subject,
        content_digest=content_digest,
        ends_at=ends_at,
        reason=author.reason,
        proposed_by=proposer,
        proposed_at=now,
        expires_at=max(now, ends_at or now) + LIFE,
    )
    _record(made, "proposal_made", author=author)
    return made


@transaction.atomic
def approve(proposal_id: int, *, author: Author) -> Proposal:
    """
    Approve it as a second person; whoever carries it out is not asked again.

    Raises NotASecondPersonError, ProposalOverError, ChangedMeanwhileError.
    """
    found = lock(proposal_id)
    officer = Operator.objects.get(email=author.operator)
    _require_state(found, State.PROPOSED)
    if not _are_apart(found.proposed_by, officer):
        raise NotASecondPersonError
    return _decided(found, State.APPROVED, officer, author=author)


@transaction.atomic
def reject(proposal_id: int, *, author: Author) -> Proposal:
    """
    End a proposal before it is done, as anybody who may decide or as its author.

    Raises ProposalOverError.
    """
    found = lock(proposal_id)
    if found.state not in {State.PROPOSED, State.APPROVED}:
        raise ProposalOverError
    officer = Operator.objects.get(email=author.operator)
    return _decided(found, State.REJECTED, officer, author=author)


def lock(proposal_id: int) -> Proposal:
    """
    Return a proposal, its row locked until the transaction ends.

    Raises ProposalOverError when there is none, or when its time is over.
    """
    found = (
        Proposal.objects.select_for_update(no_key=True, of=("self",))
        .select_related("proposed_by")
        .filter(pk=proposal_id)
        .first()
    )
    if found is None or found.expires_at <= clock.now():
        raise ProposalOverError
    return found


def lock_begun(proposal_id: int) -> Proposal:
    """Return a proposal whose work was begun in time, its row locked; it may be over by now."""
    return Proposal.objects.select_for_update(no_key=True, of=("self",)).get(pk=proposal_id)


def begin(found: Proposal, *, actor: str, detail: dict[str, str | int]) -> None:
    """Say that somebody begins to do an approved proposal, whose row the caller has locked."""
    _record_work(found, "proposal_begun", actor=actor, detail=detail)


def finish(found: Proposal, *, actor: str, detail: dict[str, str | int]) -> None:
    """Say that an approved proposal, whose row the caller has locked, is done."""
    found.state, found.done_at = State.DONE, clock.now()
    found.save(update_fields=["state", "done_at"])
    _record_work(found, "proposal_done", actor=actor, detail=detail)


def note_overtaken(found: Proposal, *, actor: str, detail: dict[str, str | int]) -> None:
    """Say what was done of a proposal that was rejected while somebody was at it."""
    _record_work(found, "proposal_overtaken", actor=actor, detail=detail)


def _decided(found: Proposal, state: State, officer: Operator, *, author: Author) -> Proposal:
    found.state, found.decided_by, found.decided_at = state, officer, clock.now()
    found.save(update_fields=["state", "decided_by", "decided_at"])
    _record(found, f"proposal_{state.lower()}", author=author)
    return found


def _require_state(found: Proposal, state: State) -> None:
    if found.state == State.DONE:
        raise ProposalOverError
    if found.state != state:
        raise ChangedMeanwhileError


def _are_apart(one: Operator, other: Operator) -> bool:
    """Whether nobody stands behind both: neither themselves nor who lately gave them access."""
    givers: dict[str, set[str]] = {}
    lately = AuditEntry.objects.filter(
        at__gt=clock.now() - STANDS_BEHIND, action__in=_GIVES_ACCESS
    ).values_list("target", "actor")
    for target, actor in lately:
        givers.setdefault(target, set()).add(actor)
    numbers = dict(Operator.objects.values_list("email", "staff_number"))
    return not _behind(one.email, givers, numbers) & _behind(other.email, givers, numbers)


def _behind(email: str, givers: dict[str, set[str]], numbers: dict[str, str]) -> set[str]:
    found: set[str] = set()
    waiting = {email}
    while waiting:
        found |= waiting
        waiting = {
            giver for each in waiting for giver in givers.get(numbers.get(each, ""), ())
        } - found
    return found


def _record_work(found: Proposal, name: str, *, actor: str, detail: dict[str, str | int]) -> None:
    audit.record(
        actor=actor,
        action=name,
        target=found.subject,
        detail={"proposal": found.pk, "action": found.action, **detail},
    )


def _record(found: Proposal, name: str, *, author: Author) -> None:
    audit.record(
        actor=author.operator,
        action=name,
        target=found.subject,
        detail={
            "proposal": found.pk,
            "action": found.action,
            "content_digest": found.content_digest,
            "ends_at": found.ends_at.isoformat() if found.ends_at else "",
            "reason": author.reason,
        },
        source_address=author.source_address,
    )
