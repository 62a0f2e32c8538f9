"""What crosses messaging's doors: a fact to publish, a fact that arrived, a claim on work."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """
    A public fact about one subject, to be published in the transaction that makes it true.

    `type` is its name in docs/events/, such as "payments.transaction.completed"; events of one
    `subject` reach each consumer in the order in which they were committed.
    """

    type: str
    subject: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """A fact as a consumer gets it."""

    id: uuid.UUID
    type: str
    subject: str
    sequence: int
    occurred_at: dt.datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Claim:
    """Rows of one work table that are ours until the lease ends, and the token that proves it."""

    table: str
    token: uuid.UUID
    ids: tuple[Any, ...]

    def __bool__(self) -> bool:
        return bool(self.ids)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What an idempotency key was answered with: the thing it made, and the HTTP status."""

    reference: str
    http_status: int


def topic_of(event_type: str) -> str:
    """Return the Kafka topic of an event type: its first two words."""
    app, subject, _ = event_type.split(".", 2)
    return f"{app}.{subject}"
