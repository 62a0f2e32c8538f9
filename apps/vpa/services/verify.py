"""Ask whose an address is before somebody pays to it, and take the answer."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from apps.common import ids
from apps.common.addresses import VpaAddress
from apps.common.faults import fault_point
from apps.messaging import claims, wakeups
from apps.upi import liveness, timers
from apps.upi.contracts import (
    Head,
    Party,
    Received,
    Request,
    ReqValAdd,
    RespValAdd,
    SendOutcome,
    SendResult,
    Txn,
)
from apps.upi.services.requests import open_within_budget, send_requests
from apps.upi.timer_models import Timer
from apps.vpa import selectors
from apps.vpa.contracts import Asker, VpaKind
from apps.vpa.models import Verification
from apps.vpa.states import AWAITING_ANSWER, VerificationState

STEP = "vpa.verifications"
# upi-protocol 4.2: nobody has the address.
UNKNOWN_ADDRESS = "ZH"
NOT_SENT, NO_NAME, OVER_BUDGET = "NOT_SENT", "NO_NAME", "OVER_BUDGET"
# Asking again within so long is reading the answer again.
SAME_QUESTION = dt.timedelta(seconds=60)
_SUCCESS, _DONE = "SUCCESS", "00"
_TYPE = "ValAdd"
_REFERENCE_URL = "https://www.npci.org.in/"


@transaction.atomic(durable=True)
def ask(address: VpaAddress, *, asker: Asker, at: dt.datetime) -> Verification:
    """
    Take a question on. An address of ours is answered at once, another's by its PSP.

    Raises SwitchDownError when another's PSP cannot be asked now.
    """
    earlier = selectors.recent_verification(asker.client, str(address), since=at - SAME_QUESTION)
    if earlier is not None:
        return earlier
    row = _row(address, asker, at=at)
    if address.handle in settings.UPI_HANDLES:
        _resolve(row, at=at)
    else:
        liveness.require_switch()
        row.next_action_at = at
        wakeups.wake_on_commit(STEP)
    row.save(force_insert=True)
    return row


def advance_due(*, at: dt.datetime) -> int:
    """Send the questions that are due, each once, and call those unanswered for long UNKNOWN."""
    requests = _open_due(at=at)
    if requests:
        outcomes = send_requests(requests)
        fault_point("verification.sent")
        _record(outcomes, at=at)
    return len(requests) + _call_unknown()


def take_answer(received: Received[RespValAdd]) -> None:
    """Take the name behind an address, or why it is not told, in the receiver's transaction."""
    row = selectors.lock_verification(received.exchange_id)
    assert row is not None, f"{received.exchange_id}: an answer to no verification"
    if VerificationState(row.state) not in AWAITING_ANSWER:
        return
    resp = received.message.resp
    name = resp.mask_name or ""
    if resp.result != _SUCCESS:
        _end(row, VerificationState.REFUSED, resp.err_code or UNKNOWN_ADDRESS, received.received_at)
    elif not name:
        _end(row, VerificationState.REFUSED, NO_NAME, received.received_at)
    else:
        row.verified_name = name
        row.kind = resp.type or ""
        row.mcc = resp.code or ""
        _end(row, VerificationState.VERIFIED, _DONE, received.received_at)
    row.save()


def _row(address: VpaAddress, asker: Asker, *, at: dt.datetime) -> Verification:
    return Verification(
        client=asker.client,
        payer_address=asker.address,
        payer_name=asker.name,
        payer_type=asker.kind,
        payer_code=asker.mcc,
        address=str(address),
        transaction_id=ids.new_upi_id(settings.UPI_ID_PREFIX),
        exchange_id=ids.uuid7(),
        created_at=at,
    )


def _resolve(row: Verification, *, at: dt.datetime) -> None:
    found = selectors.resolve(row.address)
    refusal = UNKNOWN_ADDRESS if found is None else found.refusal(at=at)
    if found is None or refusal:
        _end(row, VerificationState.REFUSED, refusal, at)
        return
    row.verified_name = found.verified_name
    row.kind = found.kind
    row.mcc = found.mcc
    _end(row, VerificationState.VERIFIED, _DONE, at)


def _end(row: Verification, state: VerificationState, code: str, at: dt.datetime) -> None:
    row.state = state
    row.result_code = code
    row.ended_at = at
    row.claim = None
    row.next_action_at = None


@transaction.atomic(durable=True)
def _open_due(*, at: dt.datetime) -> list[Request]:
    claim = claims.claim_due(
        table=Verification._meta.db_table,
        states=[VerificationState.CREATED],
        limit=settings.CLAIM_SEND_MAX,
        lease_seconds=settings.LEASE_WIRE_SECONDS,
    )
    if not claim:
        return []
    rows = selectors.claimed_verifications(claim.ids)
    requests = [_request(row, at=at) for row in rows]
    refused = open_within_budget(requests)
    for row in rows:
        if row.exchange_id in refused:
            _end(row, VerificationState.REFUSED, OVER_BUDGET, at)
            row.save()
    wait = timers.span(Timer.ADDRESS_ANSWER)
    Verification.objects.filter(pk__in=claim.ids, claim=claim.token).update(
        state=VerificationState.SENDING, claim=None, next_action_at=Now() + wait
    )
    return [request for request in requests if request.exchange_id not in refused]


def _request(row: Verification, *, at: dt.datetime) -> Request:
    txn = Txn(
        id=row.transaction_id,
        ts=at,
        type=_TYPE,
        note=_TYPE,
        ref_id=row.transaction_id,
        ref_url=_REFERENCE_URL,
        initiation_mode="00",
        purpose="00",
    )
    message = ReqValAdd(
        head=Head(ts=at, org_id=settings.UPI_ORG_ID, msg_id=ids.new_upi_id(settings.UPI_ID_PREFIX)),
        txn=txn,
        payer=Party(
            addr=row.payer_address,
            name=row.payer_name,
            type=row.payer_type,
            code=row.payer_code,
        ),
        # What the payee is, its PSP will say.
        payee=Party(addr=row.address, type=VpaKind.PERSON, code="0000"),
    )
    return Request(exchange_id=row.exchange_id, message=message)


def _record(outcomes: Sequence[SendOutcome], *, at: dt.datetime) -> None:
    """Record what the sending itself proved; an answer may have come before, and stands."""
    for outcome in outcomes:
        if outcome.result is SendResult.NACKED:
            _refuse_unanswered(outcome.exchange_id, outcome.code, at=at)
        elif outcome.result is SendResult.NOT_SENT:
            _refuse_unanswered(outcome.exchange_id, NOT_SENT, at=at)


@transaction.atomic
def _refuse_unanswered(exchange_id: UUID, code: str, *, at: dt.datetime) -> None:
    row = selectors.lock_verification(exchange_id)
    if row is not None and row.state == VerificationState.SENDING:
        _end(row, VerificationState.REFUSED, code, at)
        row.save()


def _call_unknown() -> int:
    """Call questions UNKNOWN whose answer is overdue: nobody may conclude from silence."""
    return Verification.objects.filter(
        state=VerificationState.SENDING, next_action_at__lte=Now()
    ).update(state=VerificationState.UNKNOWN, next_action_at=None)
