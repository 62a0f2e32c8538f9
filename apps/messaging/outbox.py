"""Publish facts in the transaction that makes them true; the relay carries them to Kafka."""

import functools
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
from django.conf import settings
from django.db import connection

from apps.common import ids
from apps.messaging import event_types, notices
from apps.messaging.contracts import Event
from apps.messaging.models import SHARDS

CHANNEL = "messaging_outbox"
# Far below Kafka's 1 MB: a fact names things, it does not carry them.
EVENT_BYTES_MAX = 64 * 1024

_INSERT = """
    INSERT INTO messaging_outboxevent (id, sequence, type, subject, shard, data)
    SELECT id, nextval('messaging_outbox_sequence'), type, subject, shard, data
      FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::smallint[], %s::jsonb[])
           WITH ORDINALITY AS event (id, type, subject, shard, data, place)
     ORDER BY place
"""


def publish(events: Sequence[Event]) -> None:
    """
    Write facts to the outbox, in their order, by one statement.

    The caller's transaction is open; the facts exist if and only if it commits.
    """
    assert connection.in_atomic_block, "a fact is published in the transaction that makes it true"
    if not events:
        return
    contents = [orjson.dumps(event.data).decode() for event in events]
    for event, content in zip(events, contents, strict=True):
        assert len(content) <= EVENT_BYTES_MAX, f"{event.type} is too large"
        if settings.MESSAGING_CHECK_EVENTS:
            check(event)
    columns: list[Any] = [
        [ids.uuid7() for _ in events],
        [event.type for event in events],
        [event.subject for event in events],
        [shard_of(event.subject) for event in events],
        contents,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, columns)
    # Lost, it costs the relay a second.
    notices.notify_on_commit(CHANNEL, [""])


def shard_of(subject: str) -> int:
    """Return the share of the outbox to which all events of a subject belong."""
    return zlib.crc32(subject.encode()) % SHARDS


def check(event: Event) -> None:
    """
    Hold an event against its published schema.

    Raises jsonschema_rs.ValidationError or FileNotFoundError: both are bugs of the publisher.
    """
    validator(event.type).validate(json.loads(orjson.dumps(event.data)))


@functools.cache
def validator(event_type: str) -> jsonschema_rs.Validator:
    """Return the validator of an event type's data, made from docs/events/<type>.json."""
    schema = json.loads(schema_path(event_type).read_bytes())
    return jsonschema_rs.validator_for(schema, validate_formats=True)


def schema_path(event_type: str) -> Path:
    """Return where the schema of an event type is kept."""
    return event_types.directory() / f"{event_type}.json"
