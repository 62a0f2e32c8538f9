"""Give the money to the payee: the beneficiary's step."""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings

from apps.accounts.core_banking.base import Order
from apps.common.faults import fault_point
from apps.payments import selectors
from apps.payments.services import orders, posting
from apps.payments.services.posting import Batch, Decision
from apps.payments.states import Role, State
from apps.upi.services.answers import send_answers

# upi-protocol 4.1: internal exception on the beneficiary's side.
TOO_LATE = "UB"


def post_due(only: Sequence[UUID] | None = None) -> int:
    """Credit the accounts that wait for it, answer, and return how many were decided."""
    claim, decided, exchanges = posting.post(
        admit=lambda batch: _admit(batch, only), complete=_complete
    )
    if exchanges:
        fault_point("credit.posted")
        send_answers(exchanges, claim=claim)
        fault_point("credit.answered")
    return decided


def _admit(batch: Batch, only: Sequence[UUID] | None) -> list[Order]:
    """Take the due legs; those that are too late, or were refused at receipt, are declined."""
    admitted = []
    for job in selectors.lock_due_jobs(
        role=Role.CREDIT, states=[State.RECEIVED], limit=settings.CLAIM_POST_MAX, only=only
    ):
        code = TOO_LATE if job.is_late else job.code
        if code:
            batch.decided.append(Decision(job, State.DECLINED, code))
        else:
            batch.jobs[job.id] = job
            admitted.append(posting.order_of(job, account_number=job.account_number))
    return admitted


def _complete(decisions: Sequence[Decision]) -> None:
    orders.pay_orders([each.job for each in decisions if each.state is State.POSTED])
