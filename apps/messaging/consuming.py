"""Read a consumer group's topics and commit each offset after the effect."""

import threading
from collections.abc import Iterator, Mapping, Sequence

import structlog
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from django.db import InterfaceError, OperationalError, close_old_connections, connections

from apps.common.faults import fault_point
from apps.messaging import envelope, inbox, kafka
from apps.messaging.contracts import ReceivedEvent, topic_of
from apps.messaging.errors import EventRefusedError

log = structlog.get_logger(__name__)

BATCH_MESSAGES_MAX = 500
POLL_SECONDS = 0.5
OUTAGE_PAUSE_SECONDS = 1.0


def run(group: str, handlers: Mapping[str, str], *, stopped: threading.Event) -> None:
    """
    Apply the events of one consumer group until `stopped` is set.

    Offsets only save work: a message read twice is known by its id.
    """
    consumer = kafka.consumer(group)
    consumer.subscribe(sorted({topic_of(event_type) for event_type in handlers}))
    log.info("consumer_started", consumer=group)
    try:
        while not stopped.is_set():
            close_old_connections()
            messages = _fetch(consumer)
            if not _work(consumer, group, handlers, messages):
                stopped.wait(OUTAGE_PAUSE_SECONDS)
    finally:
        consumer.close()
        connections.close_all()


def _fetch(consumer: Consumer) -> list[Message]:
    """Wait for one message, and take what has come with it: a batch grows with the load."""
    first = consumer.poll(POLL_SECONDS)
    if first is None:
        return []
    return [first, *consumer.consume(num_messages=BATCH_MESSAGES_MAX - 1, timeout=0)]


def _work(
    consumer: Consumer, group: str, handlers: Mapping[str, str], messages: Sequence[Message]
) -> bool:
    """Apply a batch and commit its offsets. Return False when it has to be read again."""
    readable = [message for message in messages if not _is_notice(message)]
    is_done = True
    settled = 0
    try:
        for events, unreadable, size in _runs(readable):
            inbox.consume_many(group, handlers, events)
            for message, reason in unreadable:
                _park(group, message, reason=reason)
            fault_point("consumer.applied")
            settled += size
    except (inbox.DatabaseAwayError, OperationalError, InterfaceError):
        log.warning("database_unavailable", consumer=group)
        _rewind(consumer, readable[settled:])
        is_done = False
    if settled:
        _commit(consumer, group, readable[:settled])
    return is_done


def _runs(
    messages: Sequence[Message],
) -> Iterator[tuple[list[ReceivedEvent], list[tuple[Message, str]], int]]:
    """Cut a batch behind every message that is no event: events, that message, how many."""
    events: list[ReceivedEvent] = []
    for message in messages:
        try:
            events.append(envelope.decode(message.value()))
        except EventRefusedError as error:
            yield events, [(message, str(error))], len(events) + 1
            events = []
    if events:
        yield events, [], len(events)


def _park(group: str, message: Message, *, reason: str) -> None:
    place = f"{message.topic()}/{message.partition()}/{message.offset()}"
    subject = (message.key() or b"").decode("utf-8", "replace")
    inbox.park_unreadable(group, place=place, subject=subject, reason=reason)


def _is_notice(message: Message) -> bool:
    """Say whether this is the client's word about its own state instead of a message."""
    error = message.error()
    if error is not None:
        log.warning("kafka_notice", error=error.name())
    return error is not None


def _rewind(consumer: Consumer, messages: Sequence[Message]) -> None:
    """Read these messages again: the first of each partition is the next."""
    first: dict[tuple[str, int], int] = {}
    for message in messages:
        first.setdefault((str(message.topic()), message.partition() or 0), message.offset() or 0)
    for (topic, partition), offset in first.items():
        try:
            consumer.seek(TopicPartition(topic, partition, offset))
        except KafkaException as error:
            # The partition went to another member, which begins at the committed offset.
            log.info("seek_refused", topic=topic, error=kafka.error_of(error).name())


def _commit(consumer: Consumer, group: str, messages: Sequence[Message]) -> None:
    """Commit where each partition goes on behind these messages."""
    last = {
        (str(message.topic()), message.partition() or 0): (message.offset() or 0) + 1
        for message in messages
    }
    offsets = [
        TopicPartition(topic, partition, offset) for (topic, partition), offset in last.items()
    ]
    try:
        consumer.commit(offsets=offsets, asynchronous=False)
    except KafkaException as error:
        log.info("offsets_not_committed", consumer=group, error=kafka.error_of(error).name())
