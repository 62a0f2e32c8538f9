"""Open our requests in the transaction that decides them, then send each once."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection

from apps.common import clock
from apps.common.faults import fault_point
from apps.upi import client, codec, message_log, signature
from apps.upi.client import Parcel, Posted
from apps.upi.content import content_digest
from apps.upi.contracts import Request, SendOutcome, SendResult
from apps.upi.errors import ApiBudgetError
from apps.upi.message_log import LogEntry
from apps.upi.models import MessageLog
from apps.upi.services import governor
from hsm.errors import HsmError

log = structlog.get_logger(__name__)

_OPEN = """
    INSERT INTO upi_exchange (id, direction, organisation, api, type, sub_type, txn_id, msg_id,
                              opened_at, content_digest)
    SELECT id, 'OUT', %(organisation)s, api, type, sub_type, txn_id, msg_id, %(at)s, content_digest
      FROM unnest(%(ids)s::uuid[], %(apis)s::text[], %(types)s::text[], %(sub_types)s::text[],
                  %(txn_ids)s::text[], %(msg_ids)s::text[], %(digests)s::bytea[])
           AS request (id, api, type, sub_type, txn_id, msg_id, content_digest)
"""

_RECORD = """
    UPDATE upi_exchange AS exchange
       SET state = sent.result, delivery_code = sent.code, sends = 1,
           delivered_at = CASE WHEN sent.result IN ('ACKED', 'NACKED') THEN clock_timestamp() END
      FROM unnest(%(ids)s::uuid[], %(results)s::text[], %(codes)s::text[])
           AS sent (id, result, code)
     WHERE exchange.id = sent.id AND exchange.state = 'NONE'
"""


def open_requests(requests: Sequence[Request]) -> None:
    """
    Write the exchanges of our requests, in the caller's transaction, before anything is sent.

    Raises ApiBudgetError when a circular forbids one of them now: then the caller's transaction
    must not commit, and none is sent.
    """
    refused = open_within_budget(requests)
    if refused:
        raise next(iter(refused.values()))


def open_within_budget(requests: Sequence[Request]) -> dict[UUID, ApiBudgetError]:
    """
    Open those requests that the circulars allow now; return the others, by exchange, and why.

    What is returned was not opened, and must not be sent.
    """
    assert connection.in_atomic_block, "a request is opened in the transaction that decides it"
    if not requests:
        return {}
    refused = governor.take(requests, now=clock.now())
    _open([request for request in requests if request.exchange_id not in refused])
    return refused


def _open(requests: Sequence[Request]) -> None:
    if not requests:
        return
    messages = [request.message for request in requests]
    at = clock.now()
    parameters: dict[str, Any] = {
        "organisation": settings.UPI_SWITCH_ORG_ID,
        "at": at,
        "ids": [request.exchange_id for request in requests],
        "apis": [message.api for message in messages],
        "types": [message.txn.type for message in messages],
        "sub_types": [message.txn.sub_type or "" for message in messages],
        "txn_ids": [message.txn.id for message in messages],
        "msg_ids": [message.head.msg_id for message in messages],
        "digests": [content_digest(message) for message in messages],
    }
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, parameters)
    message_log.write([_entry(request) for request in requests])


def _entry(request: Request) -> LogEntry:
    message = request.message
    body = codec.loggable(codec.encode(message))
    return LogEntry(
        logged_at=clock.now(),
        direction=MessageLog.Direction.OUT,
        outcome=MessageLog.Outcome.OPENED,
        exchange_id=request.exchange_id,
        organisation=message.head.org_id,
        api=message.api,
        type=message.txn.type,
        txn_id=message.txn.id,
        msg_id=message.head.msg_id,
        body=body,
        raw=body.encode(),
    )


def send_requests(requests: Sequence[Request]) -> list[SendOutcome]:
    """
    Sign and post opened requests, in parallel; record each Ack; return outcomes in the same order.

    No transaction is open. A request is posted once; only when no connection could be made, one
    second attempt follows. The peer's answer may come, and be handled, before this returns.
    """
    assert not connection.in_atomic_block, "nothing is posted with a transaction open"
    if not requests:
        return []
    try:
        signed = signature.sign_many([codec.encode(request.message) for request in requests])
    except HsmError as error:
        log.warning("requests_unsigned", rows=len(requests), error=type(error).__name__)
        posted = [Posted(SendResult.NOT_SENT, "HSM") for _ in requests]
    else:
        fault_point("upi.request.signed")
        posted = _post(requests, signed)
        fault_point("upi.request.sent")
    outcomes = [
        SendOutcome(exchange_id=request.exchange_id, result=one.result, code=one.code)
        for request, one in zip(requests, posted, strict=True)
    ]
    _record(outcomes)
    results = {outcome.exchange_id: outcome.result for outcome in outcomes}
    governor.give_back(
        [each for each in requests if results[each.exchange_id] is SendResult.NOT_SENT]
    )
    fault_point("upi.request.recorded")
    return outcomes


def _post(requests: Sequence[Request], signed: Sequence[bytes]) -> list[Posted]:
    parcels = [
        Parcel(
            api=request.message.api,
            txn_id=request.message.txn.id,
            msg_id=request.message.head.msg_id,
            body=body,
        )
        for request, body in zip(requests, signed, strict=True)
    ]
    posted = client.post_many(parcels)
    unsent = [place for place, one in enumerate(posted) if one.result is SendResult.NOT_SENT]
    if unsent:
        again = client.post_many([parcels[place] for place in unsent])
        for place, one in zip(unsent, again, strict=True):
            posted[place] = one
    return posted


def _record(outcomes: Sequence[SendOutcome]) -> None:
    parameters: dict[str, Any] = {
        "ids": [outcome.exchange_id for outcome in outcomes],
        "results": [outcome.result.value for outcome in outcomes],
        "codes": [outcome.code for outcome in outcomes],
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, parameters)
    for outcome in outcomes:
        if outcome.result is not SendResult.ACKED:
            log.warning(
                "request_not_acked",
                exchange_id=str(outcome.exchange_id),
                result=outcome.result.value,
                code=outcome.code,
            )
