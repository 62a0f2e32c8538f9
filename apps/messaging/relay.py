"""
Carry the outbox to Kafka.

Any number of relays run side by side. Each claims some shards of the outbox for a while, sends
what is unpublished there in the order of its sequence, and marks what Kafka has confirmed. One
subject is in one shard, so its events leave in order; a relay that dies or stalls loses its claim,
and the next one begins again with the oldest unconfirmed event: repeats are possible, gaps are not.
There is no high-water mark: a transaction that commits late is found like any other.
"""

import datetime as dt
import functools
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson
import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from django.db import connection, transaction
from django.db.models.functions import Now

from apps.common import ids
from apps.common.faults import fault_point
from apps.common.pipelines import pipelined
from apps.messaging import envelope, kafka, refill
from apps.messaging.contracts import topic_of
from apps.messaging.errors import RelayStoppedError
from apps.messaging.models import DeadLetter, OutboxEvent

log = structlog.get_logger(__name__)

BATCH_EVENTS_MAX = 2000
SHARDS_PER_ROUND_MAX = 8
LEASE_SECONDS = 10
CONFIRM_SECONDS = 5.0
POLL_SECONDS = 0.05
OUTAGE_PAUSE_SECONDS = 1.0
OWNER = "platform"
_HEADERS: list[tuple[str, str | bytes]] = [("content-type", envelope.CONTENT_TYPE)]

_CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT id FROM messaging_outboxshard AS shard
         WHERE next_action_at <= (SELECT clock_timestamp())
           AND EXISTS (SELECT FROM messaging_outboxevent AS event
                        WHERE event.shard = shard.id
                          AND published_at IS NULL AND parked_at IS NULL)
         ORDER BY next_action_at, id LIMIT %s
           FOR NO KEY UPDATE SKIP LOCKED)
    UPDATE messaging_outboxshard AS shard
       SET claim = %s, next_action_at = clock_timestamp() + make_interval(secs => %s)
      FROM due WHERE shard.id = due.id
    RETURNING shard.id
"""
# Of each shard by itself, along the index: a long queue is not sorted anew for every batch.
_BATCH = """
    WITH claimed AS (SELECT id FROM messaging_outboxshard WHERE claim = %s)
    SELECT event.* FROM claimed, LATERAL (
        SELECT id, type, subject, sequence, created_at, data::text FROM messaging_outboxevent
         WHERE shard = claimed.id AND published_at IS NULL AND parked_at IS NULL
         ORDER BY sequence LIMIT (SELECT %s / greatest(count(*), 1) FROM claimed)) AS event
     ORDER BY event.sequence
"""
_MARK = """
    UPDATE messaging_outboxevent SET published_at = clock_timestamp()
     WHERE id = ANY(%s) AND published_at IS NULL
"""
_MARK_AND_RELEASE = f"""
    WITH marked AS ({_MARK})
    UPDATE messaging_outboxshard
       SET claim = NULL, next_action_at = clock_timestamp() + make_interval(secs => %s)
     WHERE claim = %s
"""  # noqa: S608 - a statement of ours


@dataclass(frozen=True, slots=True)
class Pending:
    """An event that Kafka does not have yet; `data` is JSON as the database writes it."""

    id: uuid.UUID
    type: str
    subject: str
    sequence: int
    created_at: dt.datetime
    data: str


@dataclass(slots=True)
class Delivery:
    """What became of a batch that was given to Kafka."""

    confirmed: list[uuid.UUID] = field(default_factory=list)
    refused: dict[uuid.UUID, str] = field(default_factory=dict)
    parked: list[uuid.UUID] = field(default_factory=list)
    pending: int = 0

    def settle(self, event_id: uuid.UUID, error: KafkaError | None, _message: Message) -> None:
        """Take Kafka's word on an event; what is neither confirmed nor refused stays pending."""
        if error is None:
            self.confirmed.append(event_id)
        elif error.code() in kafka.REFUSALS:
            self.refused[event_id] = error.str()


class Relay:
    """One relay: it keeps a producer until that producer fails."""

    def __init__(self) -> None:
        self._producer: Producer | None = None
        self._is_behind = False

    @property
    def is_behind(self) -> bool:
        """Whether the last batch was a full one: then there was more that nobody may tell of."""
        return self._is_behind

    def work(self) -> int:
        """
        Publish one batch and return how many events are settled; 0 means that nothing was due.

        Raises KafkaException or RelayStoppedError when the cluster does not answer; the shards are
        then due again a second later.
        """
        self._is_behind = False
        token = ids.uuid7()
        shards, events = _claim(token)
        if not shards:
            return 0
        fault_point("relay.claimed")
        pause_seconds = OUTAGE_PAUSE_SECONDS
        confirmed: list[uuid.UUID] = []
        try:
            if self._producer is None:
                # A new cluster first makes older events unpublished again.
                self._connect()
                events = _batch(token)
            settled = self._publish(events, confirmed)
            pause_seconds = 0
            has_full_shards = len(events) >= BATCH_EVENTS_MAX // shards
            self._is_behind = has_full_shards or shards == SHARDS_PER_ROUND_MAX
        except (KafkaException, RelayStoppedError):
            self.close()
            raise
        finally:
            _mark_and_release(token, confirmed, pause_seconds=pause_seconds)
            fault_point("relay.marked")
        return settled

    def close(self) -> None:
        """Give the producer up together with all it has not confirmed."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            producer.purge()
            kafka.poll(producer, 0)

    def _publish(self, events: Sequence[Pending], confirmed: list[uuid.UUID]) -> int:
        """Send events, and add those that Kafka has confirmed and nobody has marked yet."""
        delivery = self._send(events)
        settled = {*delivery.confirmed, *delivery.parked}
        confirmed += delivery.confirmed
        if delivery.refused and len(events) > 1:
            # One by one takes longer than the claim may last.
            _mark(confirmed)
            # Kafka refuses a whole request for one message: only alone an event is to blame.
            rest = [event for event in events if event.id not in settled]
            return len(settled) + sum(self._publish_alone(event, confirmed) for event in rest)
        if delivery.refused:
            (event,) = events
            park(event, reason=delivery.refused[event.id])
            return 1
        if delivery.pending:
            raise RelayStoppedError(f"{delivery.pending} events were not confirmed")
        return len(settled)

    def _publish_alone(self, event: Pending, confirmed: list[uuid.UUID]) -> int:
        settled = self._publish([event], confirmed)
        _mark(confirmed)
        return settled

    def _send(self, events: Sequence[Pending]) -> Delivery:
        """Send events and say which are confirmed; the rest is refused or pending."""
        producer = self._connect()
        delivery = Delivery()
        for event in events:
            self._produce(producer, event, delivery)
        until = time.monotonic() + CONFIRM_SECONDS
        while len(producer) and time.monotonic() < until and not delivery.refused:
            kafka.poll(producer, POLL_SECONDS)
        # What failed otherwise counts as pending too: it is neither lost nor anybody's fault.
        settled = len(delivery.confirmed) + len(delivery.parked)
        delivery.pending = len(events) - settled - len(delivery.refused)
        if delivery.pending or delivery.refused:
            self.close()
        fault_point("relay.sent")
        return delivery

    def _produce(self, producer: Producer, event: Pending, delivery: Delivery) -> None:
        try:
            producer.produce(
                topic_of(event.type),
                key=event.subject.encode(),
                value=_envelope(event),
                headers=_HEADERS,
                on_delivery=functools.partial(delivery.settle, event.id),
            )
        except KafkaException as error:
            if kafka.error_of(error).code() not in kafka.REFUSALS:
                raise
            # Refused before it left: this event is to blame and no other.
            park(event, reason=kafka.error_of(error).str())
            delivery.parked.append(event.id)

    def _connect(self) -> Producer:
        if self._producer is None:
            producer = kafka.producer()
            # Asked before the first message: a cluster that is away is no message's fault, and one
            # that is new must first get what the old one had.
            refill.adopt_cluster(kafka.cluster_id(producer))
            self._producer = producer
        return self._producer


def _envelope(event: Pending) -> bytes:
    return envelope.write(
        id=event.id,
        type=event.type,
        subject=event.subject,
        sequence=event.sequence,
        occurred_at=event.created_at,
        data=orjson.Fragment(event.data),
    )


@transaction.atomic
def park(event: Pending, *, reason: str) -> None:
    """Take an event that Kafka will never carry out of the queue, and give it an owner."""
    OutboxEvent.objects.filter(pk=event.id).update(parked_at=Now())
    DeadLetter.objects.create(
        source="outbox",
        item_id=str(event.id),
        subject=event.subject,
        sequence=event.sequence,
        reason=reason,
        owner=OWNER,
    )
    log.error("event_parked", event_id=str(event.id), type=event.type, reason=reason)


@transaction.atomic
def _claim(token: uuid.UUID) -> tuple[int, list[Pending]]:
    """Return how many shards were claimed, and what is due there."""
    with connection.cursor() as claimed, connection.cursor() as due, pipelined():
        claimed.execute(_CLAIM, [SHARDS_PER_ROUND_MAX, token, LEASE_SECONDS])
        due.execute(_BATCH, [token, BATCH_EVENTS_MAX])
        return len(claimed.fetchall()), [Pending(*row) for row in due.fetchall()]


def _batch(token: uuid.UUID) -> list[Pending]:
    with connection.cursor() as cursor:
        cursor.execute(_BATCH, [token, BATCH_EVENTS_MAX])
        return [Pending(*row) for row in cursor.fetchall()]


def _mark(event_ids: list[uuid.UUID]) -> None:
    """Mark events as published, and forget which they were."""
    if event_ids:
        with connection.cursor() as cursor:
            cursor.execute(_MARK, [list(event_ids)])
        event_ids.clear()


def _mark_and_release(
    token: uuid.UUID, event_ids: Sequence[uuid.UUID], *, pause_seconds: float
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_MARK_AND_RELEASE, [list(event_ids), pause_seconds, token])
