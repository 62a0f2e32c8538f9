"""Read what is on Kafka, from the beginning, as an outsider."""

import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition
from django.conf import settings

from apps.messaging import envelope
from tests.messaging.handlers import TOPIC

WAIT_SECONDS = 40.0


def read(prefix: str, *, count: int, extra_seconds: float = 0.5) -> list[Message]:
    """
    Return the messages of subjects that begin with `prefix`, partition by partition in order.

    Waits until there are `count` of them, and a little longer for those that should not be there.
    """
    reader = Consumer(
        {
            "bootstrap.servers": settings.KAFKA_BOOTSTRAP_SERVERS,
            "group.id": f"reader-{prefix}",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 10,
            "log_level": 3,
        }
    )
    try:
        found: list[Message] = []
        until = time.monotonic() + WAIT_SECONDS
        # A topic that its first message makes has no partitions until then.
        while not (partitions := reader.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions):
            assert time.monotonic() < until, "nobody made the topic"
            time.sleep(0.05)
        reader.assign([TopicPartition(TOPIC, number, OFFSET_BEGINNING) for number in partitions])
        while time.monotonic() < until:
            if len(found) == count:
                until = min(until, time.monotonic() + extra_seconds)
            message = reader.poll(0.1)
            if message is None or message.error() is not None:
                continue
            if message.key().decode().startswith(prefix):
                found.append(message)
        return found
    finally:
        reader.close()


def numbers(messages: list[Message]) -> dict[str, list[int]]:
    """Return the events' numbers by subject, in their order on Kafka."""
    events: dict[str, list[int]] = {}
    for message in messages:
        event = envelope.decode(message.value())
        events.setdefault(event.subject, []).append(int(event.data["number"]))
    return events


def without_repeats(values: list[int]) -> list[int]:
    """Return the values as they first appeared."""
    return list(dict.fromkeys(values))
