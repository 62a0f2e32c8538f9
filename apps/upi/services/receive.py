"""
Receive one message: verify it, and accept it in one transaction, or refuse it.

Refusals in their order: bytes and structure, URL, sender, key and signature, validation, age,
route, what we know of its keys, how often others may ask, and what the handler says. A refused
message leaves its trace in the log and a security event, and nothing else.
"""

import datetime as dt
import functools
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from apps.common import ids
from apps.common.faults import fault_point
from apps.messaging import outbox
from apps.messaging.contracts import Event
from apps.upi import codec, gate, message_log, selectors, signature, timers, xml
from apps.upi.codec.grammar import ENTRIES, meta_code
from apps.upi.contracts import Ack, AckError, Message, Received
from apps.upi.errors import AskedTooOftenError, RefusedError, SignatureRefusedError
from apps.upi.message_log import LogEntry
from apps.upi.models import MessageLog
from apps.upi.services import correlate, governor, heartbeat
from apps.upi.services.correlate import Inbound, Known
from apps.upi.signature import Verified
from apps.upi.timer_models import Timer

log = structlog.get_logger(__name__)

Handler = Callable[[Received[Any]], None]

_NAME = re.compile(r"[A-Za-z]{1,30}")
_ID = re.compile(r"[A-Za-z0-9]{1,35}")
_ORGANISATION = re.compile(r"[A-Za-z0-9]{1,20}")
# The wire is kept alive by this app itself; every other message has its handler elsewhere.
_OWN_ROUTES: dict[tuple[str, str], Handler] = {
    ("ReqHbt", "Hbt"): heartbeat.receive_request,
    ("RespHbt", "Hbt"): heartbeat.receive_answer,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A POST as it came: the parts of its URL, its body, and when."""

    api: str
    version: str
    txn_id: str
    body: bytes
    received_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """The Ack, and for who has asked too often when it makes sense to ask again."""

    ack: Ack
    retry_after_seconds: int | None = None


@dataclass(slots=True, kw_only=True)
class _Trace:
    """What is known of a message so far; until it is verified, only what it claims to be."""

    arrival: Arrival
    organisation: str = ""
    msg_id: str = ""
    type: str = ""
    verified: Verified | None = None
    message: Message | None = None


def receive(arrival: Arrival) -> Verdict:
    """Accept or refuse a message. What an accepted one asks and writes is one transaction."""
    trace = _Trace(arrival=arrival)
    try:
        root = _open(trace)
        with transaction.atomic(durable=True):
            known = _accept(_admit(trace, root))
    except RefusedError as error:
        return _refuse(trace, error)
    fault_point("upi.accepted")
    return Verdict(_ack(trace, at=known.received_at))


def _open(trace: _Trace) -> xml.Element:
    arrival = trace.arrival
    root = gate.parse(arrival.body, api=arrival.api)
    _note_claims(trace, root)
    gate.check_route(root, api=arrival.api, version=arrival.version, txn_id=arrival.txn_id)
    # Banks and PSPs reach us through the switch, which signs what it passes on: whatever keys of
    # theirs we know, none of them speaks to us.
    if trace.organisation != settings.UPI_SWITCH_ORG_ID:
        raise RefusedError("U52", "Head.orgId is not the switch")
    return root


def _admit(trace: _Trace, root: xml.Element) -> Inbound:
    arrival = trace.arrival
    trace.verified = signature.verify(root, _keys_of(trace))
    message = codec.decode(trace.verified.body)
    trace.message = message
    _check_age(message, at=arrival.received_at)
    return Inbound(
        message=message,
        organisation=trace.organisation,
        body_digest=hashlib.sha256(arrival.body).digest(),
        received_at=arrival.received_at,
        entry=_entry(trace, outcome=MessageLog.Outcome.ACCEPTED),
    )


def _note_claims(trace: _Trace, root: xml.Element) -> None:
    head, txn = root.find("Head"), root.find("Txn")
    if head is not None:
        trace.organisation = _fitting(_ORGANISATION, head.get("orgId"))
        trace.msg_id = _fitting(_ID, head.get("msgId"))
    if txn is not None:
        trace.type = _fitting(_NAME, txn.get("type"))[:20]


def _fitting(pattern: re.Pattern[str], text: str | None) -> str:
    return text if text is not None and pattern.fullmatch(text) else ""


def _keys_of(trace: _Trace) -> list[Any]:
    keys = selectors.signing_keys(trace.organisation, at=trace.arrival.received_at)
    if keys is None:
        raise RefusedError("U52", "Head.orgId is not an organisation we know")
    if not keys:
        raise SignatureRefusedError("U55", "the sender has no key that is valid now")
    return keys


def _check_age(message: Message, *, at: dt.datetime) -> None:
    if abs((at - message.head.ts).total_seconds()) > timers.seconds(Timer.MESSAGE_AGE):
        code = meta_code("H03") if ENTRIES[message.api].is_meta else "H03"
        raise RefusedError(code, "Head.ts is too far from now")


def _accept(inbound: Inbound) -> Known:
    handler = _handler_of(inbound.message)
    known = correlate.correlate(inbound)
    if known.is_new:
        governor.admit(inbound.message, now=inbound.received_at)
        handler(
            Received(
                message=inbound.message,
                exchange_id=known.exchange_id,
                organisation=inbound.organisation,
                received_at=inbound.received_at,
            )
        )
    else:
        message_log.write([_repeated(inbound.entry, known)])
    fault_point("upi.accepting")
    return known


def _handler_of(message: Message) -> Handler:
    key = (message.api, message.txn.type)
    handler = _OWN_ROUTES.get(key) or _routes(settings.UPI_ROUTES).get(key)
    if handler is None:
        raise RefusedError("U10", "this bank does not take such a message")
    return handler


@functools.lru_cache(maxsize=8)
def _routes(name: str) -> dict[tuple[str, str], Handler]:
    return {key: import_string(dotted) for key, dotted in import_string(name).items()}


def _repeated(entry: LogEntry, known: Known) -> LogEntry:
    outcome = MessageLog.Outcome.REPEATED
    return replace(entry, id=ids.uuid7(), outcome=outcome, exchange_id=known.exchange_id)


def _entry(trace: _Trace, **known: Any) -> LogEntry:
    arrival, verified, body = trace.arrival, trace.verified, ""
    if verified is not None and trace.message is not None:
        # A body is kept only when we know where its credentials are, for they are cut out.
        body = codec.loggable(verified.body)
    return LogEntry(
        logged_at=arrival.received_at,
        direction=MessageLog.Direction.IN,
        organisation=trace.organisation,
        api=_fitting(_NAME, arrival.api),
        type=trace.type,
        txn_id=_fitting(_ID, arrival.txn_id),
        msg_id=trace.msg_id,
        body=body,
        raw=arrival.body,
        signed_info=verified.signed_info if verified else "",
        signature_value=verified.signature_value if verified else "",
        **known,
    )


def _refuse(trace: _Trace, error: RefusedError) -> Verdict:
    outcome = MessageLog.Outcome.REFUSED
    entry = _entry(trace, outcome=outcome, ack_code=error.ack_code, reason=error.detail)
    with transaction.atomic(durable=True):
        message_log.write([entry])
        outbox.publish([_security_event(entry, error)])
    log.info(
        "message_refused",
        api=entry.api,
        txn_id=entry.txn_id,
        organisation=entry.organisation,
        code=error.code,
        ack_code=error.ack_code,
        reason=error.detail,
    )
    reason = AckError(code=error.ack_code, detail=error.detail)
    ack = _ack(trace, at=trace.arrival.received_at, err=error.ack_code, errors=(reason,))
    wait = error.retry_after_seconds if isinstance(error, AskedTooOftenError) else None
    return Verdict(ack, retry_after_seconds=wait)


def _security_event(entry: LogEntry, error: RefusedError) -> Event:
    return Event(
        type="upi.security.refused",
        subject=entry.txn_id or str(entry.id),
        data={
            "message_log_id": str(entry.id),
            "organisation": entry.organisation,
            "api": entry.api,
            "txn_id": entry.txn_id,
            "msg_id": entry.msg_id,
            "code": error.code,
            "ack_code": error.ack_code,
            "reason": error.detail,
            "owner": "operations",
            "refused_at": entry.logged_at.isoformat(),
        },
    )


def _ack(trace: _Trace, *, at: dt.datetime, **verdict: Any) -> Ack:
    return Ack(api=_fitting(_NAME, trace.arrival.api), req_msg_id=trace.msg_id, ts=at, **verdict)
