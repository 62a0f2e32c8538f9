"""Handlers of test consumers: they write what they saw, or fail on purpose."""

from django.db import OperationalError, connection

from apps.messaging.contracts import ReceivedEvent

CONSUMERS = {
    "test": {
        "messaging.test.happened": "tests.messaging.handlers.write",
        "messaging.test.failed": "tests.messaging.handlers.write_and_fail",
        "messaging.test.broken": "tests.messaging.handlers.lose_the_database",
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
