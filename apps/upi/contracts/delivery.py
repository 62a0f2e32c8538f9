"""What crosses this app's doors besides messages: what came, what goes, and how it went."""

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar
from uuid import UUID

from apps.upi.contracts.messages import Message, ResponseMessage

M_co = TypeVar("M_co", bound=Message, covariant=True)


class DeliveryState(StrEnum):
    """Where the delivery of what we send on an exchange stands."""

    NONE = "NONE"
    DUE = "DUE"
    ACKED = "ACKED"
    NACKED = "NACKED"
    EXPIRED = "EXPIRED"
    NOT_SENT = "NOT_SENT"
    SILENT = "SILENT"


class SendResult(StrEnum):
    """
    What became of one POST.

    ACKED and NACKED are proved by the Ack; NOT_SENT means that no byte left, for no connection
    could be made; SILENT means that nobody knows.
    """

    ACKED = "ACKED"
    NACKED = "NACKED"
    NOT_SENT = "NOT_SENT"
    SILENT = "SILENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received(Generic[M_co]):
    """
    A verified, valid and fresh message for an app's handler.

    `exchange_id` is the message's own exchange when it is a request; for a Resp*, it is the
    exchange of our request that it answers.
    """

    message: M_co
    exchange_id: UUID
    organisation: str
    received_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request of ours; `exchange_id` is a new UUIDv7 that the caller keeps."""

    exchange_id: UUID
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOutcome:
    """What became of sending one request; `code` is the reason of a negative Ack."""

    exchange_id: UUID
    result: SendResult
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Our answer on an inbound exchange; it is not sent after `expires_at`."""

    exchange_id: UUID
    message: ResponseMessage
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DueAnswer:
    """An answer that was recorded, as the log has it, for `claim` to send."""

    exchange_id: UUID
    claim: UUID
    message_id: UUID
    msg_id: str
    api: str
    txn_id: str
    # Without credentials.
    body: str = field(repr=False)
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How the delivery on an exchange stands; `code` is the reason of a negative Ack."""

    exchange_id: UUID
    state: DeliveryState
    code: str
    delivered_at: dt.datetime | None
