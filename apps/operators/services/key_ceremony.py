"""
Key ceremonies: two officers decide in the back office, the command at the token does it.

Making, taking in and ending a key are one ceremony each; a rotation is the first two, a change of
the settings, and the last one after the old key's time.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from apps.common import clock
from apps.common.faults import fault_point
from apps.operators.contracts import Author, KeyUse
from apps.operators.errors import (
    ContentDiffersError,
    KeyStillUsedError,
    NotApprovedError,
    NotYetError,
    ProposalOverError,
    SubjectUnknownError,
)
from apps.operators.models import Proposal
from apps.operators.services import proposals
from hsm import ceremony, host_keys
from hsm.keys import kind_of

Action = Proposal.Action
KEY_ACTIONS = (Action.CREATE_KEY, Action.IMPORT_KEY, Action.DESTROY_KEY)


def propose(
    action: Proposal.Action,
    label: str,
    *,
    author: Author,
    content_digest: str = "",
    ends_at: dt.datetime | None = None,
) -> Proposal:
    """
    Propose to make, take in or end a key.

    A key is ended with the last of its uses, or at `ends_at`, whatever is left then. Raises
    SubjectUnknownError, NothingChangesError.
    """
    kind = kind_of(label)
    # Any label can be ended: a key that is none of ours most of all.
    if action != Action.DESTROY_KEY and (
        kind is None or kind.comes_wrapped != (action == Action.IMPORT_KEY)
    ):
        raise SubjectUnknownError
    return proposals.propose(
        action, label, author=author, content_digest=content_digest, ends_at=ends_at
    )


def carry_out(
    proposal_id: int, *, actor: str, wrapped: bytes = b"", transport_key: str | None = None
) -> str:
    """
    Do what two officers decided, and say what was done; safe to repeat after a crash.

    The log says that it is begun before the token is changed, and then that it is done: also when
    the proposal was rejected in between, which then raises ProposalOverError. Raises
    NotApprovedError, NotYetError, ProposalOverError, ContentDiffersError, KeyStillUsedError, and
    HsmError as the token does.
    """
    found = _approved(proposal_id)
    _begin(found, actor=actor, wrapped=wrapped)
    fault_point("key_ceremony.begun")
    # The token is asked with no transaction open.
    if found.action == Action.CREATE_KEY:
        detail: dict[str, str | int] = {"made": int(ceremony.create_key(found.subject))}
    elif found.action == Action.IMPORT_KEY:
        detail = _import(found, wrapped, transport_key)
    else:
        detail = _destroy(found)
    fault_point("key_ceremony.changed")
    _record(proposal_id, actor=actor, detail=detail)
    return f"{found.get_action_display()}: {found.subject}: done"


def key_uses() -> Mapping[str, KeyUse]:
    """Return what can only be verified with a key, by kind of key: the apps above know it."""
    uses: Mapping[str, KeyUse] = import_string(settings.OPERATORS_KEY_USES)
    return uses


def _approved(proposal_id: int) -> Proposal:
    with transaction.atomic():
        found = proposals.lock(proposal_id)
    if found.state in {Proposal.State.DONE, Proposal.State.REJECTED}:
        raise ProposalOverError
    if found.action not in KEY_ACTIONS or found.state != Proposal.State.APPROVED:
        raise NotApprovedError
    return found


def _lock_approved(proposal_id: int) -> Proposal:
    found = proposals.lock(proposal_id)
    if found.state != Proposal.State.APPROVED:
        raise ProposalOverError
    return found


def _begin(found: Proposal, *, actor: str, wrapped: bytes) -> None:
    """Have the log say what is begun: whoever dies at the token leaves no other word of it."""
    detail: dict[str, str | int] = {}
    if found.action == Action.IMPORT_KEY:
        if hashlib.sha256(wrapped).hexdigest() != found.content_digest:
            raise ContentDiffersError
    elif found.action == Action.DESTROY_KEY:
        ceremony.require_unused(found.subject)
        needed_by = _needed_by(found)
        detail = {} if needed_by is None else {"needed_by": needed_by}
    detail["was_there"] = int(ceremony.holds(found.subject))
    with transaction.atomic():
        proposals.begin(_lock_approved(found.pk), actor=actor, detail=detail)


def _record(proposal_id: int, *, actor: str, detail: dict[str, str | int]) -> None:
    """Have the log say what is done: the token is changed, whatever became of the proposal."""
    with transaction.atomic():
        found = proposals.lock_begun(proposal_id)
        if found.state == Proposal.State.APPROVED:
            proposals.finish(found, actor=actor, detail=detail)
        elif found.state == Proposal.State.REJECTED:
            proposals.note_overtaken(found, actor=actor, detail=detail)
        fault_point("key_ceremony.recording")
    if found.state != Proposal.State.DONE:
        raise ProposalOverError


def _needed_by(found: Proposal) -> int | None:
    """Return how much hangs on a key that may be ended, None for a key of which nobody knows."""
    use = _use_of(found)
    is_over = found.ends_at is not None and found.ends_at <= clock.now()
    if use is None:
        # Nobody can count what hangs on such a key: only its day ends it.
        if not is_over:
            raise NotYetError
        return None
    count = use.count(found.subject)
    if count and not is_over:
        raise KeyStillUsedError(detail=f"{count} need it")
    return count


def _use_of(found: Proposal) -> KeyUse | None:
    kind = kind_of(found.subject)
    return key_uses().get(kind.name) if kind else None


def _import(found: Proposal, wrapped: bytes, transport_key: str | None) -> dict[str, str | int]:
    made = host_keys.import_mac_key(found.subject, wrapped, transport_key=transport_key)
    return {"made": int(made), "check_value": host_keys.check_value(found.subject)}


def _destroy(found: Proposal) -> dict[str, str | int]:
    let_go = 0
    use = _use_of(found)
    if use is not None and _needed_by(found):
        let_go = use.let_go(found.subject)
        fault_point("key_ceremony.let_go")
        if left := use.count(found.subject):
            raise KeyStillUsedError(detail=f"{left} are in use at this moment: once more, soon")
    return {"ended": int(ceremony.destroy_key(found.subject)), "let_go": let_go}
