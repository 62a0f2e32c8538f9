"""Say that we are there, and notice when a peer is not."""

import datetime as dt
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction

from apps.common import ids
from apps.messaging import outbox
from apps.messaging.contracts import Event
from apps.upi import selectors, timers
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
from apps.upi.models import Organisation
from apps.upi.services import answers, requests
from apps.upi.timer_models import Timer

log = structlog.get_logger(__name__)

_NOTE = "hbt"
_REF_URL = "https://www.npci.org.in/"
_MISSED_SHOWN_MAX = 1000
_STATE = ("is_up", "heartbeats_missed", "heartbeat_answered_at", "state_changed_at")

# The last heartbeat has had a whole interval for its answer.
_LAST_IS_UNANSWERED = """
    SELECT answer_id IS NULL FROM upi_exchange
     WHERE direction = 'OUT' AND api = 'ReqHbt' AND organisation = %(organisation)s
       AND opened_at > %(since)s
     ORDER BY id DESC LIMIT 1
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
    peer = selectors.lock_organisation(received.organisation)
    if peer is None:
        return
    if not peer.is_up:
        outbox.publish([_is_up(peer, at=received.received_at)])
        peer.state_changed_at = received.received_at
        log.info("peer_up", organisation=peer.org_id)
    peer.is_up = True
    peer.heartbeats_missed = 0
    peer.heartbeat_answered_at = received.received_at
    peer.save(update_fields=_STATE)


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
    peer = selectors.lock_organisation(settings.UPI_SWITCH_ORG_ID)
    if peer is None or not _missed_the_last(now=now):
        return
    peer.heartbeats_missed = min(peer.heartbeats_missed + 1, _MISSED_SHOWN_MAX)
    is_down = peer.heartbeats_missed >= settings.UPI_HEARTBEATS_MISSED_MAX
    if is_down and peer.is_up:
        peer.is_up = False
        peer.state_changed_at = now
        outbox.publish([_is_down(peer, at=now)])
    if is_down:
        log.error("peer_down", organisation=peer.org_id, missed=peer.heartbeats_missed)
    peer.save(update_fields=_STATE)


def _missed_the_last(*, now: dt.datetime) -> bool:
    intervals = settings.UPI_HEARTBEATS_MISSED_MAX + 1
    window = timers.span(Timer.HEARTBEAT) * intervals
    parameters: dict[str, Any] = {"organisation": settings.UPI_SWITCH_ORG_ID, "since": now - window}
    with connection.cursor() as cursor:
        cursor.execute(_LAST_IS_UNANSWERED, parameters)
        row = cursor.fetchone()
    return bool(row and row[0])


def _is_down(peer: Organisation, *, at: dt.datetime) -> Event:
    answered_at = peer.heartbeat_answered_at
    return Event(
        type="upi.switch.down",
        subject=peer.org_id,
        data={
            "organisation": peer.org_id,
            "heartbeats_missed": peer.heartbeats_missed,
            "answered_at": answered_at.isoformat() if answered_at else None,
            "owner": "operations",
            "down_at": at.isoformat(),
        },
    )


def _is_up(peer: Organisation, *, at: dt.datetime) -> Event:
    down_at = peer.state_changed_at or at
    return Event(
        type="upi.switch.up",
        subject=peer.org_id,
        data={"organisation": peer.org_id, "up_at": at.isoformat(), "down_at": down_at.isoformat()},
    )
