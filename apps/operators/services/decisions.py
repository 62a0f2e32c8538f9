"""Decide a proposal as a second person; what needs no token is done in the same transaction."""

from django.db import transaction

from apps.operators.contracts import Author
from apps.operators.errors import SubjectUnknownError
from apps.operators.models import Operator, Proposal
from apps.operators.services import enrol, proposals

reject = proposals.reject


@transaction.atomic
def approve(proposal_id: int, *, author: Author) -> Proposal:
    """
    Approve it; a second factor is forgotten at once. Raises as `proposals.approve` does.

    Raises SubjectUnknownError when the operator is gone.
    """
    found = proposals.approve(proposal_id, author=author)
    if found.action == Proposal.Action.FORGET_FACTOR:
        operator = Operator.objects.filter(staff_number=found.subject).first()
        if operator is None:
            raise SubjectUnknownError
        enrol.forget(operator, actor=author.operator)
        proposals.finish(found, actor=author.operator, detail={})
    return found


def propose_to_forget(operator: Operator, *, author: Author) -> Proposal:
    """Propose that an operator enrols a second factor anew. Raises NothingChangesError."""
    return proposals.propose(Proposal.Action.FORGET_FACTOR, operator.staff_number, author=author)
