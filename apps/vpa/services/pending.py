"""Ask the switch which collects wait for an address of ours, to find those that we never got."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.common import ids
from apps.common.errors import NotFoundError
from apps.upi import codec, liveness
from apps.upi import selectors as wire
from apps.upi.contracts import ReqMsg, ReqPendingMsg, Request, RespPendingMsg
from apps.upi.services import questions
from apps.upi.services.requests import open_requests, send_requests
from apps.vpa import selectors

_TYPE = "PendingMsg"


@dataclass(frozen=True, slots=True)
class PendingCollect:
    """A transaction that the switch holds for an address, and whether it ever reached us."""

    transaction_id: str
    kind: str
    is_known: bool


def ask(address: str, *, at: dt.datetime) -> UUID:
    """
    Send the question; return the exchange on which its answer will come.

    Raises NotFoundError when no customer has the address, SwitchDownError.
    """
    mobile = selectors.mobile_of(address)
    if mobile is None:
        raise NotFoundError
    liveness.require_switch()
    message = ReqPendingMsg(
        head=questions.head_of(at=at),
        txn=questions.txn_of(ids.new_upi_id(settings.UPI_ID_PREFIX), _TYPE, at=at),
        req_msg=ReqMsg(value=mobile, addr=address),
    )
    request = Request(exchange_id=ids.uuid7(), message=message)
    with transaction.atomic(durable=True):
        open_requests([request])
    send_requests([request])
    return request.exchange_id


def answer(exchange_id: UUID) -> list[PendingCollect] | None:
    """Return what the switch holds, None before its answer came; the log has the message."""
    body = wire.answer_body(exchange_id)
    if body is None:
        return None
    message = codec.decode(body.encode())
    assert isinstance(message, RespPendingMsg), "nothing else answers a ReqPendingMsg"
    known = wire.known_transactions([each.id for each in message.pen_txns])
    return [PendingCollect(each.id, each.type, each.id in known) for each in message.pen_txns]
