"""How a fact looks on Kafka: a CloudEvents 1.0 envelope in structured JSON."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

import orjson
from django.conf import settings

from apps.messaging.contracts import ReceivedEvent
from apps.messaging.errors import EventRefusedError

# CloudEvents, Kafka protocol binding 1.0.2, 3.3: structured content mode.
CONTENT_TYPE = b"application/cloudevents+json; charset=UTF-8"
_REQUIRED = ("id", "type", "subject", "sequence", "time", "data")


def encode(event: ReceivedEvent) -> bytes:
    """Return the bytes of an event's envelope, the same at every repeat."""
    return write(
        id=event.id,
        type=event.type,
        subject=event.subject,
        sequence=event.sequence,
        occurred_at=event.occurred_at,
        data=event.data,
    )


def write(
    *,
    id: uuid.UUID,  # noqa: A002 - CloudEvents' own word
    type: str,  # noqa: A002
    subject: str,
    sequence: int,
    occurred_at: dt.datetime,
    data: Mapping[str, Any] | orjson.Fragment,
) -> bytes:
    """Return the bytes of an envelope; `data` may be JSON that is written already."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": str(id),
            "source": f"urn:upi-platform:{settings.UPI_ORG_ID}",
            "type": type,
            "subject": subject,
            "time": occurred_at.astimezone(dt.UTC).isoformat(),
            "datacontenttype": "application/json",
            # The CloudEvents extension "sequence": a text that orders events of one source.
            "sequence": f"{sequence:020d}",
            "data": data,
        }
    )


def decode(value: bytes | None) -> ReceivedEvent:
    """
    Read an envelope.

    Raises EventRefusedError when it is not one of ours.
    """
    try:
        return from_members(orjson.loads(value or b""))
    except ValueError as error:
        raise EventRefusedError("the message is not JSON") from error


def from_members(members: Mapping[str, Any]) -> ReceivedEvent:
    """
    Read an envelope's members.

    Raises EventRefusedError.
    """
    if not isinstance(members, dict) or members.get("specversion") != "1.0":
        raise EventRefusedError("the message is not a CloudEvents 1.0 envelope")
    missing = [name for name in _REQUIRED if name not in members]
    if missing:
        raise EventRefusedError(f"the envelope has no {', '.join(missing)}")
    if not isinstance(members["data"], dict):
        raise EventRefusedError("the envelope's data is not an object")
    try:
        return ReceivedEvent(
            id=uuid.UUID(members["id"]),
            type=str(members["type"]),
            subject=str(members["subject"]),
            sequence=int(members["sequence"]),
            occurred_at=dt.datetime.fromisoformat(members["time"]),
            data=members["data"],
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise EventRefusedError("a member of the envelope has the wrong form") from error
