"""Record our answers in the transaction that decides them, then send them until they are acked."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.db import connection

from apps.common import clock
from apps.common.pipelines import pipelined
from apps.messaging import wakeups
from apps.upi import codec, deadlines, message_log
from apps.upi.contracts import Answer, DeliveryState, DueAnswer, Received
from apps.upi.message_log import LogEntry
from apps.upi.models import MessageLog
from apps.upi.services import deliver, pin_blocks

# An answer that comes to be known only after its time is kept, and never sent.
_RECORD = """
    UPDATE upi_exchange AS exchange
       SET answer_id = answer.message_id, answer_msg_id = answer.msg_id,
           answered_at = clock_timestamp(), expires_at = answer.expires_at, claim = %(claim)s,
           state = CASE WHEN answer.expires_at > clock_timestamp() THEN 'DUE' ELSE 'EXPIRED' END,
           next_action_at = CASE WHEN answer.expires_at > clock_timestamp()
               THEN clock_timestamp() + make_interval(secs => %(lease)s) END
      FROM unnest(%(exchange_ids)s::uuid[], %(message_ids)s::uuid[], %(msg_ids)s::text[],
                  %(expire)s::timestamptz[]) AS answer (exchange_id, message_id, msg_id, expires_at)
     WHERE exchange.id = answer.exchange_id AND exchange.direction = 'IN'
       AND exchange.answer_id IS NULL
    RETURNING exchange.id, exchange.state
"""

# A repeat may have waited for a person as long as the request; once decided, nobody waits on.
_REPEATS = """
    UPDATE upi_exchange_repeat
       SET answered_at = clock_timestamp(),
           expires_at = least(expires_at, clock_timestamp() + make_interval(secs => %(life)s)),
           state = CASE WHEN expires_at > clock_timestamp() THEN 'DUE' ELSE 'EXPIRED' END,
           next_action_at = CASE WHEN expires_at > clock_timestamp() THEN clock_timestamp() END
     WHERE exchange_id = ANY(%(ids)s) AND state = 'NONE'
"""


def answer_deadline(received: Received) -> dt.datetime:  # type: ignore[type-arg]
    """Return `Answer.expires_at` for a request: when the switch has stopped waiting."""
    return deadlines.answer_deadline(received.message, received_at=received.received_at)


def record_answers(answers: Sequence[Answer], *, claim: UUID | None) -> list[DueAnswer]:
    """
    Store answers in the caller's transaction.

    With `claim` they are returned, the caller's to send by `send_answers` once it has committed
    (LEASE_WIRE_SECONDS long); without, "upi.deliver" is woken on commit. An exchange is answered
    once: a second answer for it is a bug.
    """
    assert connection.in_atomic_block, "an answer is recorded in the transaction that decides it"
    if not answers:
        return []
    entries = [_entry(answer) for answer in answers]
    parameters = {
        "claim": claim,
        "lease": settings.LEASE_WIRE_SECONDS if claim else 0,
        "exchange_ids": [answer.exchange_id for answer in answers],
        "message_ids": [entry.id for entry in entries],
        "msg_ids": [entry.msg_id for entry in entries],
        "expire": [answer.expires_at for answer in answers],
    }
    life = deadlines.answer_life(is_reversal=False).total_seconds()
    with connection.cursor() as recorded, connection.cursor() as repeats:
        with pipelined():
            message_log.write(entries)
            recorded.execute(_RECORD, parameters)
            # By itself, for its own look at the rows: who repeats holds the exchange meanwhile.
            repeats.execute(_REPEATS, {"ids": parameters["exchange_ids"], "life": life})
        states = dict(recorded.fetchall())
        assert len(states) == len(answers), "an inbound exchange is answered exactly once"
        has_repeats = repeats.rowcount > 0
    if claim is None or has_repeats:
        wakeups.wake_on_commit("upi.deliver", is_for_all=has_repeats)
    if claim is None:
        return []
    return [
        _due(answer, entry, claim=claim)
        for answer, entry in zip(answers, entries, strict=True)
        if states[answer.exchange_id] == DeliveryState.DUE
    ]


def _due(answer: Answer, entry: LogEntry, *, claim: UUID) -> DueAnswer:
    return DueAnswer(
        exchange_id=answer.exchange_id,
        claim=claim,
        message_id=entry.id,
        msg_id=entry.msg_id,
        api=entry.api,
        txn_id=entry.txn_id,
        body=entry.body,
        expires_at=answer.expires_at,
    )


def _entry(answer: Answer) -> LogEntry:
    message = answer.message
    body, secrets = codec.cut_secrets(codec.encode(message))
    entry = LogEntry(
        logged_at=clock.now(),
        direction=MessageLog.Direction.OUT,
        outcome=MessageLog.Outcome.OPENED,
        exchange_id=answer.exchange_id,
        organisation=message.head.org_id,
        api=message.api,
        type=message.txn.type,
        txn_id=message.txn.id,
        msg_id=message.head.msg_id,
        body=body.decode(),
        raw=body,
    )
    if secrets:
        pin_blocks.store_texts(entry.id, secrets)
    return entry


def send_answers(answers: Sequence[DueAnswer]) -> None:
    """
    Sign and post answers that were just recorded under one claim, and record their delivery.

    No transaction is open. What is not acked is sent again by "upi.deliver", until it expires.
    """
    deliver.deliver_recorded(answers)
