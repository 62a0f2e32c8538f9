"""Send what customers asked, and call silence by its name."""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from apps.common.faults import fault_point
from apps.customers import selectors
from apps.customers.messages import message_of
from apps.customers.models import AccountRequest
from apps.customers.states import RequestKind, RequestState
from apps.messaging import claims
from apps.messaging.contracts import Claim
from apps.upi import timers
from apps.upi.contracts import Request, SendOutcome, SendResult
from apps.upi.services import pin_blocks
from apps.upi.services.requests import open_within_budget, send_requests
from apps.upi.timer_models import Timer

TABLE = "customers_accountrequest"
# Ours, not the wire's: nothing was sent, so it is proved that nothing happened.
CREDENTIAL_GONE = "CREDENTIAL_GONE"
NOT_SENT = "NOT_SENT"
OVER_BUDGET = "OVER_BUDGET"


def advance_due(*, at: dt.datetime) -> int:
    """
    Send the requests that are due, and call those unanswered for too long UNKNOWN.

    A request is sent once. Return how many were worked on.
    """
    requests = _open_due(at=at)
    if requests:
        fault_point("account_request.opened")
        outcomes = send_requests(requests)
        fault_point("account_request.sent")
        _record(outcomes, at=at)
    return len(requests) + _call_unknown()


@transaction.atomic(durable=True)
def _open_due(*, at: dt.datetime) -> list[Request]:
    claim = claims.claim_due(
        table=TABLE,
        states=[RequestState.CREATED],
        limit=settings.CLAIM_SEND_MAX,
        lease_seconds=settings.LEASE_WIRE_SECONDS,
    )
    if not claim:
        return []
    rows = selectors.claimed_requests(claim.ids)
    blocks = pin_blocks.load([row.exchange_id for row in rows])
    gone = [row.pk for row in rows if _needs_block(row) and row.exchange_id not in blocks]
    _fail(gone, CREDENTIAL_GONE, at=at)
    requests = [
        Request(
            exchange_id=row.exchange_id,
            message=message_of(row, blocks.get(row.exchange_id, ()), at=at),
        )
        for row in rows
        if row.pk not in gone
    ]
    refused = open_within_budget(requests)
    over = [row.pk for row in rows if row.exchange_id in refused]
    _fail(over, OVER_BUDGET, at=at)
    pin_blocks.delete(list(refused))
    _await_answers(claim, [row.pk for row in rows if row.pk not in {*gone, *over}])
    return [request for request in requests if request.exchange_id not in refused]


def _needs_block(request: AccountRequest) -> bool:
    return request.kind != RequestKind.OTP


def _await_answers(claim: Claim, request_ids: Sequence[uuid.UUID]) -> None:
    """Begin the wait for the answers; the card's digits have done their work."""
    wait = timers.span(Timer.ACCOUNT_ANSWER)
    AccountRequest.objects.filter(pk__in=request_ids, claim=claim.token).update(
        state=RequestState.SENDING,
        claim=None,
        next_action_at=Now() + wait,
        card_digits="",
        card_expiry="",
    )


def _record(outcomes: Sequence[SendOutcome], *, at: dt.datetime) -> None:
    """
    Record what the sending itself proved; an answer may have come before, and stands.

    A positive Ack and silence prove nothing yet: the request goes on waiting.
    """
    with transaction.atomic():
        for outcome in outcomes:
            if outcome.result == SendResult.NACKED:
                _fail_unanswered(outcome, outcome.code, at=at)
            elif outcome.result == SendResult.NOT_SENT:
                _fail_unanswered(outcome, NOT_SENT, at=at)
        pin_blocks.delete([outcome.exchange_id for outcome in outcomes])


def _fail_unanswered(outcome: SendOutcome, code: str, *, at: dt.datetime) -> None:
    request = selectors.lock_request_by_exchange(outcome.exchange_id)
    if request is not None and request.state == RequestState.SENDING:
        _fail([request.pk], code, at=at)


def _fail(request_ids: Sequence[uuid.UUID], code: str, *, at: dt.datetime) -> None:
    AccountRequest.objects.filter(pk__in=request_ids).update(
        state=RequestState.FAILED,
        result_code=code,
        ended_at=at,
        claim=None,
        next_action_at=None,
        card_digits="",
        card_expiry="",
    )


def _call_unknown() -> int:
    """
    Call requests UNKNOWN whose answer is overdue: nobody may conclude from silence.

    No money hangs on them. Their owner is the customer, who is shown "pending, provisional" and
    asks anew; a late answer still settles them.
    """
    return AccountRequest.objects.filter(
        state=RequestState.SENDING, next_action_at__lte=Now()
    ).update(state=RequestState.UNKNOWN, next_action_at=None)
