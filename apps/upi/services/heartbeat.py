"""Say that we are there, and notice when a peer is not."""

import datetime as dt
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction

from apps.common import ids
from apps.upi.contracts import (
    Answer,
    HbtMsg,
    Head,
    Received,
    ReqHbt,
    Request,
    Resp,
    RespHbt,
    SendOutcome,
    Txn,
)
from apps.upi.services import answers, requests

log = structlog.get_logger(__name__)

_NOTE = "hbt"
_REF_URL = "https://www.npci.org.in/"

_ANSWERED = """
    UPDATE upi_organisation
       SET heartbeats_missed = 0, is_up = true, heartbeat_answered_at = %s
     WHERE org_id = %s
"""

# The last heartbeat has had a whole interval for its answer.
_COUNT_MISSED = """
    UPDATE upi_organisation
       SET heartbeats_missed = least(heartbeats_missed + 1, 1000),
           is_up = heartbeats_missed + 1 < %(missed_max)s
     WHERE org_id = %(organisation)s
       AND (SELECT answer_id IS NULL FROM upi_exchange
             WHERE direction = 'OUT' AND api = 'ReqHbt' AND organisation = %(organisation)s
               AND opened_at > %(since)s
             ORDER BY id DESC LIMIT 1)
    RETURNING heartbeats_missed, is_up
"""


def receive_request(received: Received[ReqHbt]) -> None:
    """Answer a peer's heartbeat, in the receiver's transaction."""
    request = received.message
    answer = RespHbt(
        head=Head(
            ts=received.received_at,
            org_id=settings.UPI_ORG_ID,
            msg_id=ids.new_upi_id(settings.UPI_ID_PREFIX),
        ),
        resp=Resp(req_msg_id=request.head.msg_id, result="SUCCESS"),
        txn=Txn(
            id=request.txn.id,
            ts=request.txn.ts,
            type=request.txn.type,
            note=request.txn.note,
            ref_id=request.txn.ref_id,
        ),
    )
    answers.record_answers(
        [
            Answer(
                exchange_id=received.exchange_id,
                message=answer,
                expires_at=answers.answer_deadline(received),
            )
        ],
        claim=None,
    )


def receive_answer(received: Received[RespHbt]) -> None:
    """Take note that a peer is there, in the receiver's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERED, [received.received_at, received.organisation])


def beat(*, now: dt.datetime) -> SendOutcome:
    """Count the last heartbeat if it was not answered, and send the next one to the switch."""
    message_id = ids.new_upi_id(settings.UPI_ID_PREFIX)
    request = Request(
        exchange_id=ids.uuid7(),
        message=ReqHbt(
            head=Head(ts=now, org_id=settings.UPI_ORG_ID, msg_id=message_id),
            txn=Txn(
                id=message_id,
                ts=now,
                type="Hbt",
                note=_NOTE,
                ref_id=message_id,
                ref_url=_REF_URL,
            ),
            hbt_msg=HbtMsg(),
        ),
    )
    with transaction.atomic(durable=True):
        _count_missed(now=now)
        requests.open_requests([request])
    return requests.send_requests([request])[0]


def _count_missed(*, now: dt.datetime) -> None:
    missed_max = settings.UPI_HEARTBEATS_MISSED_MAX
    window = dt.timedelta(seconds=settings.UPI_HEARTBEAT_SECONDS * (missed_max + 1))
    parameters: dict[str, Any] = {
        "organisation": settings.UPI_SWITCH_ORG_ID,
        "missed_max": missed_max,
        "since": now - window,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_MISSED, parameters)
        row = cursor.fetchone()
    if row and not row[1]:
        log.error("peer_down", organisation=settings.UPI_SWITCH_ORG_ID, missed=row[0])
