"""
Collects: a merchant of ours asks a payer, or somebody asks a customer of ours.

A customer answers until the collect expires: by their PIN, by "no", or by "no, never again".
Silence is an answer too, and needs no message: the switch's clock says the same.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.accounts.availability import require_core_banking
from apps.common import clock
from apps.common.errors import NotFoundError
from apps.common.faults import fault_point
from apps.customers import selectors as customers
from apps.messaging import idempotency, outbox
from apps.payments import collect_messages, collect_rules, events, selectors
from apps.payments.contracts import Job, Move, Payment
from apps.payments.errors import CollectOverError
from apps.payments.messages import device_to_json, payee_of
from apps.payments.models import BlockedRequester
from apps.payments.services import answering, endings, legs, spam
from apps.payments.services.accept import RequestKey
from apps.payments.services.endings import End
from apps.payments.states import Flow, Kind, Role, State
from apps.upi import codec, timers
from apps.upi.contracts import Answer, Credential, Party, ReqAuthDetails, ResponseMessage
from apps.upi.models import MessageLog
from apps.upi.services.answers import record_answers
from apps.upi.timer_models import Timer
from apps.vpa.contracts import VpaKind
from apps.vpa.models import Vpa

# upi-protocol 4.4: the payer's PSP says no to a collect.
UNKNOWN_ADDRESS = "ZH"
NOT_PERMITTED = "ZE"
BLOCKED = "TM"
DECLINED = "ZA"
SPAM = "S0"
# upi-protocol 4.7: the collect has expired.
EXPIRED = "U69"


def present_due(only: Sequence[UUID] | None = None) -> int:
    """Put collects before the customers whom they ask, refuse the others; return how many."""
    with transaction.atomic(durable=True):
        jobs = selectors.lock_due_jobs(
            role=Role.PAYER_PSP, states=[State.RECEIVED], limit=settings.CLAIM_SEND_MAX, only=only
        )
        if jobs:
            _present(jobs)
        fault_point("collect.presenting")
    return len(jobs)


def _present(jobs: Sequence[Job]) -> None:
    owners = _owners([job.transaction.payer_address for job in jobs])
    blocked = _blocked(jobs, owners)
    spammers = spam.blocks_of([job.transaction.payee_address for job in jobs], at=clock.now())
    at = clock.now()
    moves, answers, presented = [], [], []
    for job in jobs:
        code = _refusal(job, owners, blocked, at=at)
        code = code or spammers.get(job.transaction.payee_address, "")
        owner = owners.get(job.transaction.payer_address)
        if code:
            moves.append(Move.of(job, State.REFUSED, code=code))
            answers.append(_answer(job, collect_messages.declined(job, code, at=at), at=at))
        else:
            left = (_expiry(job) - at).total_seconds()
            moves.append(
                Move.of(job, State.WAITING_PAYER, owner_id=owner, due_in_seconds=max(0.0, left))
            )
            presented.append(job)
    legs.move(moves)
    record_answers(answers, claim=None)
    outbox.publish([events.requested(job) for job in presented])


def _owners(addresses: Sequence[str]) -> dict[str, UUID]:
    """Return whose each address is that is an active one of a customer of ours."""
    rows = Vpa.objects.filter(
        reserved_address__in=addresses, state=Vpa.State.ACTIVE, customer__isnull=False
    )
    return {row.address: row.customer_id for row in rows if row.customer_id is not None}


def _refusal(
    job: Job,
    owners: Mapping[str, UUID],
    blocked: frozenset[tuple[UUID, str]],
    *,
    at: dt.datetime,
) -> str:
    facts = job.transaction
    owner = owners.get(facts.payer_address)
    if owner is None:
        return UNKNOWN_ADDRESS
    is_merchant = facts.payee_type == VpaKind.ENTITY
    flow = Flow.COLLECT_MERCHANT if is_merchant else Flow.COLLECT_PERSON
    if not collect_rules.is_allowed(flow, on=clock.business_date(at)):
        return NOT_PERMITTED
    return BLOCKED if (owner, facts.payee_address) in blocked else ""


def _blocked(jobs: Sequence[Job], owners: Mapping[str, UUID]) -> frozenset[tuple[UUID, str]]:
    found = BlockedRequester.objects.filter(
        customer_id__in=list(owners.values()),
        address__in=[job.transaction.payee_address for job in jobs],
    )
    return frozenset(found.values_list("customer_id", "address"))


def expire_due(only: Sequence[UUID] | None = None) -> int:
    """End collects whose payers kept silent until they expired; return how many."""
    with transaction.atomic(durable=True):
        jobs = selectors.lock_due_jobs(
            role=Role.PAYER_PSP,
            states=[State.WAITING_PAYER],
            limit=settings.CLAIM_SEND_MAX,
            only=only,
        )
        legs.move([Move.of(job, State.FAILED, code=EXPIRED) for job in jobs])
        endings.follow([End(job, State.FAILED, EXPIRED) for job in jobs])
        fault_point("collect.expiring")
    return len(jobs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A customer pays what was asked: from this account, with this device."""

    transaction_id: str
    customer_id: UUID
    device_id: UUID
    account_id: UUID


def approve(
    approval: Approval, credential: Credential, *, key: RequestKey, at: dt.datetime
) -> Payment:
    """
    Answer a collect with the payer's account and PIN, or return what this request did before.

    Raises NotFoundError, DeviceNotBoundError, CollectOverError, CoreBankingUnavailableError and
    the refusals of idempotency.
    """
    transaction_id = approval.transaction_id
    known = idempotency.lookup(client=key.client, key=key.key, fingerprint=key.fingerprint)
    if known is None:
        with transaction.atomic(durable=True):
            known = idempotency.remember(
                client=key.client,
                key=key.key,
                fingerprint=key.fingerprint,
                reference=transaction_id,
            )
            if known is None:
                _approve(approval, credential, at=at)
            fault_point("collect.approving")
        fault_point("collect.approved")
    return collect_of(approval.customer_id, transaction_id)


def _approve(approval: Approval, credential: Credential, *, at: dt.datetime) -> None:
    job = _lock_waiting(approval.customer_id, approval.transaction_id, at=at)
    payer = customers.payer(
        customer_id=approval.customer_id,
        device_id=approval.device_id,
        account_id=approval.account_id,
    )
    require_core_banking(payer.account.ifsc)
    legs.take_account(job.id, payer.account, device=device_to_json(payer.device))
    job = selectors.job(job.id)
    message = collect_messages.approved(
        job, credential, payer_name=payer.name, payee=_asking_party(job), at=at
    )
    wait = timers.seconds(Timer.CHECK_FIRST_AFTER)
    legs.move([Move.of(job, State.AUTHORISED, due_in_seconds=wait)])
    record_answers([_answer(job, message, at=at)], claim=None)


def _asking_party(job: Job) -> Party:
    """Return who asks, as the switch's message had it: the answer repeats all of it."""
    logged = MessageLog.objects.filter(
        txn_id=job.transaction_id,
        exchange_id=job.exchange_id,
        direction=MessageLog.Direction.IN,
        outcome=MessageLog.Outcome.ACCEPTED,
    ).first()
    if logged is None:
        return payee_of(job.transaction)
    message = codec.decode(logged.body.encode())
    assert isinstance(message, ReqAuthDetails), "only it asks for an approval"
    return message.payee


def decline(
    transaction_id: str,
    *,
    customer_id: UUID,
    is_blocking: bool,
    is_spam: bool,
    at: dt.datetime,
) -> Payment:
    """
    Say no to a collect, with `is_blocking` to every later one of who asked, or call it spam.

    Who is called a spammer by many is blocked for all. Said again, it changes nothing. Raises
    NotFoundError, CollectOverError.
    """
    with transaction.atomic(durable=True):
        code = SPAM if is_spam else BLOCKED if is_blocking else DECLINED
        known = collect_of(customer_id, transaction_id)
        requester = known.transaction.payee_address
        if (known.state, known.code) != (State.REFUSED, code):
            job = _lock_waiting(customer_id, transaction_id, at=at)
            legs.move([Move.of(job, State.REFUSED, code=code)])
            record_answers(
                [_answer(job, collect_messages.declined(job, code, at=at), at=at)], claim=None
            )
            if is_spam:
                spam.report(
                    customer_id=customer_id,
                    address=requester,
                    transaction_id=transaction_id,
                    at=at,
                )
        if is_blocking:
            BlockedRequester.objects.get_or_create(customer_id=customer_id, address=requester)
        fault_point("collect.declining")
    return collect_of(customer_id, transaction_id)


def unblock(*, customer_id: UUID, address: str) -> None:
    """Let somebody ask the customer again. Raises NotFoundError."""
    removed, _ = BlockedRequester.objects.filter(customer_id=customer_id, address=address).delete()
    if not removed:
        raise NotFoundError


def collect_of(customer_id: UUID, transaction_id: str) -> Payment:
    """Return a collect that asks this customer. Raises NotFoundError, also for another's."""
    found = selectors.payment_of(transaction_id, Role.PAYER_PSP)
    if found is None or found.kind is not Kind.COLLECT or found.owner_id != customer_id:
        raise NotFoundError
    return found


def _lock_waiting(customer_id: UUID, transaction_id: str, *, at: dt.datetime) -> Job:
    jobs = selectors.lock_jobs_of([transaction_id], [Role.PAYER_PSP])
    job = jobs[0] if jobs else None
    if job is None or job.kind != Kind.COLLECT or job.owner_id != customer_id:
        raise NotFoundError
    if job.state is not State.WAITING_PAYER or at >= _expiry(job):
        raise CollectOverError
    return job


def _answer(job: Job, message: ResponseMessage, *, at: dt.datetime) -> Answer:
    assert job.exchange_id is not None, "the switch asked"
    expires_at = min(_expiry(job), at + answering.answer_life(job.role))
    return Answer(exchange_id=job.exchange_id, message=message, expires_at=expires_at)


def _expiry(job: Job) -> dt.datetime:
    assert job.expires_at is not None, "a collect ends by itself"
    return job.expires_at
