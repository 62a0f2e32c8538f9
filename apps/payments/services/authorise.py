"""Say who our addresses are: the payee PSP's step."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.common import clock, ids
from apps.common.faults import fault_point
from apps.merchants.selectors import merchant_ids_by_address
from apps.payments import messages, selectors
from apps.payments.contracts import Job, Move
from apps.payments.services import answering, legs
from apps.payments.states import Role, State
from apps.upi.contracts import Answer
from apps.upi.services.answers import record_answers, send_answers
from apps.vpa.contracts import ResolvedVpa
from apps.vpa.selectors import resolve_many

# upi-protocol 4.2, the payee PSP's checks, in this order. An address that its owner gave up is
# unknown: this bank keeps no expired (UX) or restricted (ZG) addresses, and refuses none (ZE).
UNKNOWN_ADDRESS = "ZH"
SAME_ACCOUNT = "RA"


def authorise_due(only: Sequence[UUID] | None = None) -> int:
    """Resolve the addresses that the switch asks about, answer, and return how many."""
    claim = ids.uuid7()
    jobs, answered = _decide_due(claim, only)
    fault_point("payee_psp.decided")
    if answered:
        send_answers(answered, claim=claim)
        fault_point("payee_psp.answered")
    return jobs


@transaction.atomic(durable=True)
def _decide_due(claim: UUID, only: Sequence[UUID] | None) -> tuple[int, list[UUID]]:
    jobs = selectors.lock_due_jobs(
        role=Role.PAYEE_PSP, states=[State.RECEIVED], limit=settings.CLAIM_SEND_MAX, only=only
    )
    if not jobs:
        return 0, []
    addresses = [job.transaction.payee_address for job in jobs]
    payees = resolve_many(addresses)
    merchants = merchant_ids_by_address(addresses)
    payers = _payer_accounts(jobs)
    at = clock.now()
    moves, answers = [], []
    for job in jobs:
        assert job.exchange_id is not None, "the switch asked"
        payee = payees.get(job.transaction.payee_address)
        code = _refusal(payee, payers.get(job.transaction_id))
        moves.append(_move(job, code, merchants))
        message = (
            messages.authorised(job, payee, at=at)
            if payee is not None and not code
            else messages.refused(job, code, at=at)
        )
        expires_at = job.received_at + answering.answer_life(job.role)
        answers.append(Answer(exchange_id=job.exchange_id, message=message, expires_at=expires_at))
    legs.move(moves)
    record_answers(answers, claim=claim)
    fault_point("payee_psp.deciding")
    return len(jobs), [answer.exchange_id for answer in answers]


def _move(job: Job, code: str, merchants: Mapping[str, UUID]) -> Move:
    """End the question; an authorised payment that nobody confirms is asked about later."""
    return Move(
        leg_id=job.id,
        role=job.role,
        source=job.state,
        target=State.REFUSED if code else State.AUTHORISED,
        code=code,
        owner_id=merchants.get(job.transaction.payee_address),
        due_in_seconds=None if code else settings.UPI_CHECK_FIRST_AFTER_SECONDS,
    )


def _refusal(payee: ResolvedVpa | None, payer_account: tuple[str, str] | None) -> str:
    if payee is None:
        return UNKNOWN_ADDRESS
    if payer_account == (payee.account.ifsc, payee.account.account_number):
        return SAME_ACCOUNT
    return ""


def _payer_accounts(jobs: Sequence[Job]) -> dict[str, tuple[str, str]]:
    """Return the payers' accounts of payments that our own customers make."""
    own = [job.transaction_id for job in jobs if job.transaction_id[:3] == settings.UPI_ID_PREFIX]
    if not own:
        return {}
    return {
        job.transaction_id: (job.ifsc, job.account_number)
        for job in selectors.jobs_of(own, [Role.PAYER_PSP])
    }
