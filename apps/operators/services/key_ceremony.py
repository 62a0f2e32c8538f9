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

    Raises NotApprovedError, NotYetError, ProposalOverError, ContentDiffersError, KeyStillUsedError,
    and HsmError as the token does.
    """
    found = _approved(proposal_id)
    # The token is asked with no transaction open.
    if found.action == Action.CREATE_KEY:
        detail: dict[str, str | int] = {"made": int(ceremony.create_key(found.subject))}
    elif found.action == Action.IMPORT_KEY:
        detail = _import(found, wrapped, transport_key)
    else:
        detail = _destroy(found)
    with transaction.atomic():
        locked = proposals.lock(proposal_id)
        if locked.state != Proposal.State.APPROVED:
            raise ProposalOverError
        proposals.finish(locked, actor=actor, detail=detail)
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


def _import(found: Proposal, wrapped: bytes, transport_key: str | None) -> dict[str, str | int]:
    if hashlib.sha256(wrapped).hexdigest() != found.content_digest:
        raise ContentDiffersError
    made = host_keys.import_mac_key(found.subject, wrapped, transport_key=transport_key)
    return {"made": int(made), "check_value": host_keys.check_value(found.subject)}


def _destroy(found: Proposal) -> dict[str, str | int]:
    ceremony.require_unused(found.subject)
    kind = kind_of(found.subject)
    use = key_uses().get(kind.name) if kind else None
    is_over = found.ends_at is not None and found.ends_at <= clock.now()
    let_go = 0
    if use is None:
        # Nobody can count what hangs on such a key: only its day ends it.
        if not is_over:
            raise NotYetError
    elif use.count(found.subject):
        if not is_over:
            raise KeyStillUsedError(detail=f"{use.count(found.subject)} need it")
        let_go = use.let_go(found.subject)
        if left := use.count(found.subject):
            raise KeyStillUsedError(detail=f"{left} are in use at this moment: once more, soon")
    return {"ended": int(ceremony.destroy_key(found.subject)), "let_go": let_go}
