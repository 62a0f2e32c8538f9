"""
Find out what a verified message is: new, a repeat of one we have, or a lie about one.

A request takes its keys by an INSERT, an answer by an UPDATE of the request it answers, so that of
two twins at the same moment exactly one is new. Only the rare path looks twice.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, connection

from apps.common import ids
from apps.messaging import wakeups
from apps.upi import xml
from apps.upi.content import content_digest
from apps.upi.contracts import Message, ResponseMessage
from apps.upi.deadlines import answer_deadline, decision_deadline
from apps.upi.errors import InvalidElementError, RefusedError
from apps.upi.message_log import INSERT_TAKEN, LogEntry, log_parameters

log = structlog.get_logger(__name__)

# A peer that repeats a request more often than this is not answered any more.
REPEATS_MAX = 20
_REQUEST_OF = "Req"
_ANSWER_OF = "Resp"

_TAKE_REQUEST = f"""
    WITH taken AS (
    INSERT INTO upi_exchange (id, direction, organisation, api, type, sub_type, txn_id, msg_id,
                              opened_at, body_digest, content_digest)
    SELECT %(id)s, 'IN', %(organisation)s::text, %(api)s, %(type)s, %(sub_type)s, %(txn_id)s,
           %(msg_id)s::text, %(received_at)s, %(body_digest)s, %(content_digest)s
     WHERE NOT EXISTS (SELECT FROM upi_exchange_repeat
                        WHERE organisation = %(organisation)s::text AND msg_id = %(msg_id)s::text)
    ON CONFLICT DO NOTHING
    RETURNING id),
    logged AS ({INSERT_TAKEN})
    SELECT id FROM taken
"""  # noqa: S608 - made of our own statements

_KNOWN_MESSAGE = """
    SELECT id, body_digest, opened_at FROM upi_exchange
     WHERE direction = 'IN' AND organisation = %(organisation)s AND msg_id = %(msg_id)s
    UNION ALL
    SELECT exchange_id, body_digest, received_at FROM upi_exchange_repeat
     WHERE organisation = %(organisation)s AND msg_id = %(msg_id)s
"""

# The lock makes whoever records the answer wait, so that it finds the repeat or we find the answer.
_KNOWN_REQUEST = """
    SELECT id, organisation, content_digest, answer_id,
           (SELECT count(*) FROM upi_exchange_repeat WHERE exchange_id = known.id)
      FROM upi_exchange AS known
     WHERE direction = 'IN' AND txn_id = %(txn_id)s AND api = %(api)s AND type = %(type)s
       AND sub_type = %(sub_type)s
       FOR SHARE
"""

_FIRST_BODY = """
    SELECT body FROM upi_message_log
     WHERE txn_id = %(txn_id)s AND exchange_id = %(exchange_id)s AND outcome = 'ACCEPTED'
       AND direction = 'IN'
"""

_REPEAT = """
    INSERT INTO upi_exchange_repeat (id, exchange_id, organisation, msg_id, body_digest,
        received_at, expires_at, answer_msg_id, state, answered_at, next_action_at)
    VALUES (%(id)s, %(exchange_id)s, %(organisation)s, %(msg_id)s, %(body_digest)s,
        %(received_at)s, %(expires_at)s, %(answer_msg_id)s,
        CASE WHEN %(is_answered)s THEN 'DUE' ELSE 'NONE' END,
        CASE WHEN %(is_answered)s THEN %(received_at)s END,
        CASE WHEN %(is_answered)s THEN clock_timestamp() END)
    ON CONFLICT DO NOTHING
    RETURNING id
"""

_TAKE_ANSWER = f"""
    WITH taken AS (
    UPDATE upi_exchange
       SET answer_id = %(log_id)s, answer_msg_id = %(msg_id)s, answer_digest = %(body_digest)s,
           answer_content_digest = %(content_digest)s, answered_at = %(received_at)s
     WHERE direction = 'OUT' AND msg_id = %(req_msg_id)s AND txn_id = %(txn_id)s
       AND api = %(req_api)s AND organisation = %(organisation)s AND answer_id IS NULL
    RETURNING id, type),
    logged AS ({INSERT_TAKEN})
    SELECT id, type FROM taken
"""  # noqa: S608 - made of our own statements

_KNOWN_ANSWER = """
    SELECT id, answer_msg_id, answer_digest, answer_content_digest, answered_at FROM upi_exchange
     WHERE direction = 'OUT' AND msg_id = %(req_msg_id)s AND txn_id = %(txn_id)s
       AND api = %(req_api)s AND organisation = %(organisation)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """A message that is verified, valid and fresh, and its row of the log if it is new."""

    message: Message
    organisation: str
    body_digest: bytes
    received_at: dt.datetime
    entry: LogEntry
    id: UUID = field(default_factory=ids.uuid7)

    def parameters(self) -> dict[str, Any]:
        """Return the columns by which the message is known."""
        message = self.message
        parameters = {
            "id": self.id,
            "organisation": self.organisation,
            "api": message.api,
            "type": message.txn.type,
            "sub_type": message.txn.sub_type or "",
            "txn_id": message.txn.id,
            "msg_id": message.head.msg_id,
            "received_at": self.received_at,
            "body_digest": self.body_digest,
            "content_digest": content_digest(message),
            **log_parameters(self.entry),
        }
        if isinstance(message, ResponseMessage):
            parameters["req_msg_id"] = message.resp.req_msg_id
            parameters["req_api"] = _REQUEST_OF + message.api.removeprefix(_ANSWER_OF)
        return parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Where a message belongs; `received_at` is when these very bytes came first."""

    exchange_id: UUID
    received_at: dt.datetime
    is_new: bool


def correlate(inbound: Inbound) -> Known:
    """
    Take the message's keys, in the caller's transaction; a new one is written into the log.

    Raises RefusedError: U01 or U35 for other content under a known key, U06 for an answer to
    nothing that we asked, T17 for an answer of another type.
    """
    if isinstance(inbound.message, ResponseMessage):
        return _answer(inbound)
    return _request(inbound)


def _request(inbound: Inbound) -> Known:
    parameters = inbound.parameters()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_REQUEST, parameters)
        taken = cursor.fetchone()
    if taken:
        return _known(inbound, taken[0], is_new=True)
    return _same_message(inbound, parameters) or _repeat(inbound, parameters)


def _same_message(inbound: Inbound, parameters: dict[str, Any]) -> Known | None:
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN_MESSAGE, parameters)
        found = cursor.fetchone()
    if found is None:
        return None
    exchange_id, body_digest, received_at = found
    if bytes(body_digest) != inbound.body_digest:
        raise RefusedError("U01", "the msgId was used for another message")
    return _known(inbound, exchange_id, received_at=received_at)


def _repeat(inbound: Inbound, parameters: dict[str, Any]) -> Known:
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN_REQUEST, parameters)
        found = cursor.fetchone()
        assert found is not None, "a request that is not new is known by its msgId or its content"
        exchange_id, organisation, content, answer_id, repeats = found
        deadline = decision_deadline if answer_id is None else answer_deadline
        if organisation != inbound.organisation or bytes(content) != parameters["content_digest"]:
            raise RefusedError("U01", "the transaction was used for another content")
        if repeats >= REPEATS_MAX:
            raise RefusedError("U01", "the request was repeated too often")
        parameters |= {
            "id": ids.uuid7(),
            "exchange_id": exchange_id,
            "expires_at": deadline(inbound.message, received_at=inbound.received_at),
            "answer_msg_id": ids.new_upi_id(settings.UPI_ID_PREFIX),
            "is_answered": answer_id is not None,
        }
        cursor.execute(_REPEAT, parameters)
        is_taken = cursor.fetchone() is not None
    if not is_taken:
        # A twin of this repeat came at the same moment and is committed now.
        known = _same_message(inbound, parameters)
        assert known is not None, "a repeat that is not new is known by its msgId"
        return known
    if answer_id is not None:
        wakeups.wake_on_commit("upi.deliver")
    _report(inbound, parameters)
    return _known(inbound, exchange_id)


def _report(inbound: Inbound, parameters: dict[str, Any]) -> None:
    # The note is the one difference that is allowed and yet worth knowing.
    txn = inbound.message.txn
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_BODY, parameters)
        found = cursor.fetchone()
    first = xml.parse(found[0].encode()).find("Txn") if found else None
    is_note_other = first is not None and first.get("note") != txn.note
    log.info(
        "request_repeated", txn_id=txn.id, api=inbound.message.api, is_note_other=is_note_other
    )


def _answer(inbound: Inbound) -> Known:
    parameters = inbound.parameters()
    with connection.cursor() as cursor:
        try:
            cursor.execute(_TAKE_ANSWER, parameters)
        except IntegrityError as error:
            raise RefusedError("U01", "the msgId was used for another message") from error
        taken = cursor.fetchone()
        if taken:
            if taken[1] != inbound.message.txn.type:
                raise InvalidElementError("T17", "Txn.type")
            return _known(inbound, taken[0], is_new=True)
        cursor.execute(_KNOWN_ANSWER, parameters)
        found = cursor.fetchone()
    if found is None:
        raise RefusedError("U06", "it answers nothing that we asked")
    exchange_id, msg_id, body, content, answered_at = found
    if msg_id == inbound.message.head.msg_id:
        if bytes(body) != inbound.body_digest:
            raise RefusedError("U01", "the msgId was used for another message")
        return _known(inbound, exchange_id, received_at=answered_at)
    if bytes(content) != parameters["content_digest"]:
        raise RefusedError("U35", "another answer to the same request was received")
    return _known(inbound, exchange_id)


def _known(
    inbound: Inbound,
    exchange_id: UUID,
    *,
    received_at: dt.datetime | None = None,
    is_new: bool = False,
) -> Known:
    return Known(
        exchange_id=exchange_id,
        received_at=received_at or inbound.received_at,
        is_new=is_new,
    )
