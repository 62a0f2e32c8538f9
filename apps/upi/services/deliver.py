"""
Deliver answers: post what is due, again after 2 s and 5 s without an Ack, and give up in time.

The bytes of an answer do not depend on who sends it or when: what is stored is what is signed, and
the signature is deterministic. So a claim need not be exclusive, and a late sender does no harm.
"""

import datetime as dt
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

from apps.common import clock
from apps.common.faults import fault_point
from apps.messaging import claims
from apps.messaging.contracts import Claim
from apps.upi import client, codec, signature, timers, xml
from apps.upi.client import Parcel, Posted
from apps.upi.codec import kinds
from apps.upi.contracts import DeliveryState, DueAnswer, SendResult
from apps.upi.services import pin_blocks
from apps.upi.timer_models import Timer
from hsm.errors import HsmError

log = structlog.get_logger(__name__)

EXCHANGES: Final = "upi_exchange"
REPEATS: Final = "upi_exchange_repeat"
_EXPIRE_MAX = 500
_RESEND_AFTER = (Timer.ANSWER_RESEND_FIRST, Timer.ANSWER_RESEND_SECOND)
_SIGN_AGAIN_SECONDS = 1

_ANSWERS = """
    SELECT exchange.id, exchange.answer_id, '', exchange.answer_msg_id, exchange.answered_at,
           answer.api, answer.txn_id, answer.body
      FROM upi_exchange AS exchange JOIN upi_message_log AS answer ON answer.id = exchange.answer_id
     WHERE exchange.id = ANY(%(ids)s) AND exchange.claim = %(claim)s AND exchange.state = 'DUE'
       AND exchange.expires_at > clock_timestamp()
"""

_REPEATED = """
    SELECT repeat.id, exchange.answer_id, repeat.msg_id, repeat.answer_msg_id, repeat.answered_at,
           answer.api, answer.txn_id, answer.body
      FROM upi_exchange_repeat AS repeat
      JOIN upi_exchange AS exchange ON exchange.id = repeat.exchange_id
      JOIN upi_message_log AS answer ON answer.id = exchange.answer_id
     WHERE repeat.id = ANY(%(ids)s) AND repeat.claim = %(claim)s AND repeat.state = 'DUE'
       AND repeat.expires_at > clock_timestamp()
"""

# An Ack ends the delivery whoever got it, and even when it was given up meanwhile. A failure counts
# for who still has the claim: another sender counts his own.
_RECORD = sql.SQL("""
    UPDATE {table} AS work
       SET state = CASE WHEN sent.state = 'DUE' THEN work.state ELSE sent.state END,
           delivery_code = sent.code, sends = least(work.sends + 1, 100), claim = NULL,
           delivered_at = CASE WHEN sent.state <> 'DUE' THEN clock_timestamp() END,
           next_action_at = CASE WHEN sent.state = 'DUE' AND work.state = 'DUE'
               THEN coalesce(sent.sent_at + make_interval(
                        secs => (%(delays)s::float8[])[work.sends + 1]), work.expires_at) END
      FROM unnest(%(ids)s::uuid[], %(states)s::text[], %(codes)s::text[],
                  %(sent)s::timestamptz[]) AS sent (id, state, code, sent_at)
     WHERE work.id = sent.id
       AND CASE WHEN sent.state = 'DUE' THEN work.state = 'DUE' AND work.claim = %(claim)s
                ELSE work.state IN ('DUE', 'EXPIRED') END
""")

# Most often one kind of work or none: one look spares three claims of nothing.
_WHAT_IS_DUE = """
    SELECT EXISTS (SELECT FROM upi_exchange
                    WHERE next_action_at <= (SELECT clock_timestamp()) AND state = 'DUE'
                      AND expires_at <= clock_timestamp()),
           EXISTS (SELECT FROM upi_exchange_repeat
                    WHERE next_action_at <= (SELECT clock_timestamp()) AND state = 'DUE'
                      AND expires_at <= clock_timestamp()),
           EXISTS (SELECT FROM upi_exchange
                    WHERE next_action_at <= (SELECT clock_timestamp()) AND state = 'DUE'),
           EXISTS (SELECT FROM upi_exchange_repeat
                    WHERE next_action_at <= (SELECT clock_timestamp()) AND state = 'DUE')
"""

_EXPIRE = sql.SQL("""
    UPDATE {table}
       SET state = 'EXPIRED', claim = NULL, next_action_at = NULL
     WHERE id IN (SELECT id FROM {table}
                   WHERE next_action_at <= (SELECT clock_timestamp()) AND state = 'DUE'
                     AND expires_at <= clock_timestamp()
                   ORDER BY next_action_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED)
    RETURNING id
""")


@dataclass(frozen=True, slots=True)
class _Due:
    """One delivery: its row, the answer as the log has it, and for a repeat what it changes."""

    id: UUID
    message_id: UUID
    req_msg_id: str
    msg_id: str
    answered_at: dt.datetime
    api: str
    txn_id: str
    text: str


def deliver_due() -> int:
    """Give up what is too late, send one batch of each kind, and return how many rows were due."""
    work: Sequence[Callable[[], int]] = (
        functools.partial(_expire, EXCHANGES),
        functools.partial(_expire, REPEATS),
        deliver_new,
        functools.partial(_drain, REPEATS, _REPEATED),
    )
    with connection.cursor() as cursor:
        cursor.execute(_WHAT_IS_DUE)
        (what_is_due,) = cursor.fetchall()
    return sum(each() for each, is_due in zip(work, what_is_due, strict=True) if is_due)


def deliver_new() -> int:
    """Send one batch of answers to first requests, and return how many rows were due."""
    return _drain(EXCHANGES, _ANSWERS)


def _drain(table: str, query: str) -> int:
    with transaction.atomic():
        claim = claims.claim_due(
            table=table,
            states=[DeliveryState.DUE.value],
            limit=settings.CLAIM_SEND_MAX,
            lease_seconds=settings.LEASE_WIRE_SECONDS,
        )
        due = _read(query, claim) if claim else []
    _deliver(table, due, claim.token)
    return len(claim.ids)


def _expire(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRE.format(table=sql.Identifier(table)), {"limit": _EXPIRE_MAX})
        expired = cursor.fetchall()
    for (row_id,) in expired:
        log.warning("answer_expired", table=table, row_id=str(row_id))
    return len(expired)


def deliver_recorded(answers: Sequence[DueAnswer]) -> None:
    """Sign and post answers as they were recorded by the caller, under one claim."""
    at = clock.now()
    due = [
        _Due(
            answer.exchange_id, answer.message_id, "", answer.msg_id, at,
            answer.api, answer.txn_id, answer.body,
        )
        for answer in answers
        if answer.expires_at > at
    ]  # fmt: skip
    if due:
        (claim,) = {answer.claim for answer in answers}
        _deliver(EXCHANGES, due, claim)


def _read(query: str, claim: Claim) -> list[_Due]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"ids": list(claim.ids), "claim": claim.token})
        return [_Due(*row) for row in cursor.fetchall()]


def _deliver(table: str, due: Sequence[_Due], claim: UUID) -> None:
    assert not connection.in_atomic_block, "nothing is posted with a transaction open"
    parcels = _parcels(due)
    # What has lost its credentials (a crash, a minute) cannot be sent; it waits for its end.
    sendable = [item for item in due if item.id in parcels]
    if not sendable:
        return
    held = Claim(table=table, token=claim, ids=tuple(item.id for item in sendable))
    bodies = [parcels[item.id].body for item in sendable]
    try:
        signed = signature.sign_many(bodies)
    except HsmError as error:
        log.warning("answers_unsigned", rows=len(sendable), error=type(error).__name__)
        claims.release(held, held.ids, delay_seconds=_SIGN_AGAIN_SECONDS)
        return
    fault_point("upi.answer.signed")
    sent_at = clock.now()
    posted = client.post_many(
        [
            Parcel(
                api=parcels[item.id].api,
                txn_id=parcels[item.id].txn_id,
                msg_id=item.msg_id,
                body=body,
            )
            for item, body in zip(sendable, signed, strict=True)
        ]
    )
    fault_point("upi.answer.sent")
    _record(held, sendable, posted, sent_at=sent_at)
    fault_point("upi.answer.recorded")


def _parcels(due: Sequence[_Due]) -> dict[UUID, Parcel]:
    """Return the unsigned answers by their delivery; those that cannot be made whole are not in."""
    hollow = {item.message_id for item in due if "<Data " in item.text}
    texts = pin_blocks.load_texts([*hollow]) if hollow else {}
    parcels = {}
    for item in due:
        body = item.text.encode()
        if item.req_msg_id:
            body = _for_repeat(body, item)
        if item.message_id in hollow:
            if item.message_id not in texts:
                continue
            body = codec.restore_secrets(body, texts[item.message_id])
        parcels[item.id] = Parcel(api=item.api, txn_id=item.txn_id, msg_id=item.msg_id, body=body)
    return parcels


def _for_repeat(body: bytes, item: _Due) -> bytes:
    root = xml.parse(body)
    head, resp = root.find("Head"), root.find("Resp")
    assert head is not None, "an answer has a Head"
    assert resp is not None, "an answer has a Resp"
    head.set("msgId", item.msg_id)
    head.set("ts", kinds.INSTANT.write(item.answered_at))
    resp.set("reqMsgId", item.req_msg_id)
    return xml.canonical(root)


def _record(
    held: Claim, due: Sequence[_Due], posted: Sequence[Posted], *, sent_at: dt.datetime
) -> None:
    ends = {
        SendResult.ACKED: DeliveryState.ACKED,
        SendResult.NACKED: DeliveryState.NACKED,
    }
    parameters: dict[str, Any] = {
        "ids": list(held.ids),
        "claim": held.token,
        "states": [ends.get(one.result, DeliveryState.DUE).value for one in posted],
        "codes": [one.code for one in posted],
        "sent": [sent_at for _ in due],
        "delays": [timers.seconds(each) for each in _RESEND_AFTER],
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD.format(table=sql.Identifier(held.table)), parameters)
    for item, one in zip(due, posted, strict=True):
        if one.result is not SendResult.ACKED:
            log.warning(
                "answer_not_acked", msg_id=item.msg_id, result=one.result.value, code=one.code
            )
