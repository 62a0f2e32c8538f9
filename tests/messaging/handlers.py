"""Handlers of test consumers: they write what they saw, or fail on purpose."""

import os
import uuid

from django.db import OperationalError, connection

from apps.messaging.contracts import ReceivedEvent

# A topic of this run alone, for Apache Kafka keeps what earlier runs left; processes inherit it.
TOPIC = os.environ.setdefault("TEST_TOPIC", f"messaging.test{uuid.uuid4().hex[:8]}")

CONSUMERS = {
    "test": {
        f"{TOPIC}.happened": "tests.messaging.handlers.write",
        f"{TOPIC}.failed": "tests.messaging.handlers.write_and_fail",
        f"{TOPIC}.broken": "tests.messaging.handlers.lose_the_database",
    }
}


def write(event: ReceivedEvent) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO test_effect (event_id, subject, number) VALUES (%s, %s, %s)",
            [event.id, event.subject, event.data["number"]],
        )


def write_and_fail(event: ReceivedEvent) -> None:
    write(event)
    if not is_mended:
        raise ValueError("this event is poison")


def lose_the_database(event: ReceivedEvent) -> None:
    raise OperationalError("the connection is lost")


is_mended = False


def effects(subject: str | None = None) -> list[int]:
    """Return the numbers of the events applied, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number FROM test_effect WHERE subject = coalesce(%s, subject) ORDER BY id",
            [subject],
        )
        return [number for (number,) in cursor.fetchall()]
