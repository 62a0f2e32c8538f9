"""Say who our addresses are: the payee PSP's step."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.common import clock, ids
from apps.common.faults import fault_point
from apps.merchants.selectors import merchant_ids_by_address, suspended_addresses
from apps.payments import messages, selectors
from apps.payments.contracts import Job, Move
from apps.payments.services import answering, endings, legs
from apps.payments.services.endings import End
from apps.payments.states import Role, State
from apps.upi import timers
from apps.upi.contracts import Answer, DueAnswer
from apps.upi.services.answers import record_answers, send_answers
from apps.upi.timer_models import Timer
from apps.vpa.contracts import ResolvedVpa, VpaKind
from apps.vpa.selectors import resolve_many

# upi-protocol 4.2, the payee PSP's checks; those of the address itself come before.
UNKNOWN_ADDRESS = "ZH"
INVALID_MERCHANT = "ZB"
MERCHANT_ERROR = "YG"
SAME_ACCOUNT = "RA"
ACCOUNT_TYPE = "SA"
# Money from person to person goes to bank accounts only (upi-protocol 4.4: credit, overdraft, PPI).
_NOT_BANK_ACCOUNTS = frozenset({"CREDIT", "UOD", "SOD", "PPIWALLET", "BANKWALLET"})


def authorise_due(only: Sequence[UUID] | None = None) -> int:
    """Resolve the addresses that the switch asks about, answer, and return how many."""
    claim = ids.uuid7()
    jobs, answers = _decide_due(claim, only)
    fault_point("payee_psp.decided")
    if answers:
        send_answers(answers)
        fault_point("payee_psp.answered")
    return jobs


@transaction.atomic(durable=True)
def _decide_due(claim: UUID, only: Sequence[UUID] | None) -> tuple[int, list[DueAnswer]]:
    jobs = selectors.lock_due_jobs(
        role=Role.PAYEE_PSP, states=[State.RECEIVED], limit=settings.CLAIM_SEND_MAX, only=only
    )
    if not jobs:
        return 0, []
    addresses = [job.transaction.payee_address for job in jobs]
    payees = resolve_many(addresses)
    merchants = merchant_ids_by_address(addresses)
    suspended = suspended_addresses(addresses)
    payers = _payer_accounts(jobs)
    at = clock.now()
    moves, answers = [], []
    for job in jobs:
        assert job.exchange_id is not None, "the switch asked"
        payee = payees.get(job.transaction.payee_address)
        code = (
            _address_refusal(payee, at=at)
            or _merchant_refusal(payee, merchants, suspended)
            or _account_refusal(payee, payers.get(job.transaction_id))
        )
        moves.append(_move(job, code, merchants))
        message = (
            messages.authorised(job, payee, at=at)
            if payee is not None and not code
            else messages.refused(job, code, at=at)
        )
        expires_at = job.received_at + answering.answer_life(job.role)
        answers.append(Answer(exchange_id=job.exchange_id, message=message, expires_at=expires_at))
    legs.move(moves)
    endings.tell_failed(
        [
            End(replace(job, owner_id=move.owner_id), move.target, move.code)
            for job, move in zip(jobs, moves, strict=True)
        ]
    )
    due = record_answers(answers, claim=claim)
    fault_point("payee_psp.deciding")
    return len(jobs), due


def _move(job: Job, code: str, merchants: Mapping[str, UUID]) -> Move:
    """End the question; an authorised payment that nobody confirms is asked about later."""
    return Move.of(
        job,
        State.REFUSED if code else State.AUTHORISED,
        code=code,
        owner_id=merchants.get(job.transaction.payee_address),
        due_in_seconds=None if code else timers.seconds(Timer.CHECK_FIRST_AFTER),
    )


def _address_refusal(payee: ResolvedVpa | None, *, at: dt.datetime) -> str:
    return UNKNOWN_ADDRESS if payee is None else payee.refusal(at=at)


def _merchant_refusal(
    payee: ResolvedVpa | None, merchants: Mapping[str, UUID], suspended: Collection[str]
) -> str:
    assert payee is not None, "an unknown address was refused before"
    if payee.kind is not VpaKind.ENTITY:
        return ""
    if payee.address in suspended:
        return INVALID_MERCHANT
    return "" if payee.address in merchants else MERCHANT_ERROR


def _account_refusal(payee: ResolvedVpa | None, payer_account: tuple[str, str] | None) -> str:
    assert payee is not None, "an unknown address was refused before"
    if payer_account == (payee.account.ifsc, payee.account.account_number):
        return SAME_ACCOUNT
    is_person = payee.kind is VpaKind.PERSON
    return ACCOUNT_TYPE if is_person and payee.account.account_type in _NOT_BANK_ACCOUNTS else ""


def _payer_accounts(jobs: Sequence[Job]) -> dict[str, tuple[str, str]]:
    """Return the payers' accounts of payments that our own customers make."""
    own = [job.transaction_id for job in jobs if job.transaction_id[:3] == settings.UPI_ID_PREFIX]
    if not own:
        return {}
    return {
        job.transaction_id: (job.ifsc, job.account_number)
        for job in selectors.jobs_of(own, [Role.PAYER_PSP])
    }
