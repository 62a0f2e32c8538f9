"""
Apply facts: each once per consumer, and those of one subject in their order.

The effect and the note that it happened are one transaction, so a repeat changes nothing. An event
that cannot be applied parks its subject: later events of that subject wait behind it, all others
flow, and the dead letter has an owner.
"""

import enum
import time
import uuid
from collections.abc import Callable, Mapping, Sequence

import orjson
import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models.functions import Now
from django.utils.module_loading import import_string

from apps.common.faults import fault_point
from apps.common.masking import mask_text
from apps.messaging import envelope
from apps.messaging.contracts import ReceivedEvent
from apps.messaging.models import ConsumedEvent, DeadLetter
from apps.messaging.refill import CONSUMED_DAYS

log = structlog.get_logger(__name__)

Handler = Callable[[ReceivedEvent], None]

ATTEMPTS_MAX = 5
ATTEMPT_PAUSE_SECONDS = 0.05
OWNER = "operations"
PURGE_ROWS_MAX = 1000
REASON_LENGTH_MAX = 500

# One owner of a subject at a time, also when a group's member was declared dead too early.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
# In the order of their keys, so that no two members wait for each other.
_LOCK_MANY = """
    SELECT pg_advisory_xact_lock(key) FROM (
        SELECT DISTINCT hashtextextended(name, 0) AS key FROM unnest(%s::text[]) AS name
         ORDER BY key) AS sorted
"""
_CONSUME_MANY = """
    INSERT INTO messaging_consumedevent (consumer, event_id)
    SELECT %s, id FROM unnest(%s::uuid[]) AS id
    ON CONFLICT (consumer, event_id) DO NOTHING RETURNING event_id
"""
_CONSUME = """
    INSERT INTO messaging_consumedevent (consumer, event_id) VALUES (%s, %s)
    ON CONFLICT (consumer, event_id) DO NOTHING
"""
_PARK = """
    INSERT INTO messaging_deadletter
           (source, item_id, subject, sequence, envelope, reason, owner, is_waiting)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (source, item_id) WHERE resolved_at IS NULL DO NOTHING
"""

# An array is made once; a sub-select in a join may be asked again, and take more each time.
_PURGE = """
    DELETE FROM messaging_consumedevent WHERE id = ANY(ARRAY(
        SELECT id FROM messaging_consumedevent
         WHERE consumed_at < clock_timestamp() - make_interval(days => %s)
         ORDER BY consumed_at LIMIT %s FOR UPDATE SKIP LOCKED))
"""


class Outcome(enum.Enum):
    """What became of an event at a consumer."""

    APPLIED = "APPLIED"
    REPEATED = "REPEATED"
    PARKED = "PARKED"
    IGNORED = "IGNORED"


class DatabaseAwayError(Exception):
    """The database does not answer: the event is nobody's fault and is read again."""


def consume(consumer: str, handlers: Mapping[str, str], event: ReceivedEvent) -> Outcome:
    """
    Apply an event, or park it after several attempts.

    Raises DatabaseAwayError when nothing could be decided.
    """
    if event.type not in handlers:
        return Outcome.IGNORED
    handler: Handler = import_string(handlers[event.type])
    reason = ""
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            return _apply(consumer, handler, event)
        except Exception as error:
            _raise_if_away(error)
            reason = _reason_of(error)
            log.warning(
                "event_not_applied",
                consumer=consumer,
                type=event.type,
                event_id=str(event.id),
                attempt=attempt,
                error=type(error).__name__,
                exc_info=attempt == ATTEMPTS_MAX,
            )
        if attempt < ATTEMPTS_MAX:
            time.sleep(ATTEMPT_PAUSE_SECONDS * 2**attempt)
    park(consumer, event, reason=reason)
    return Outcome.PARKED


def consume_many(
    consumer: str, handlers: Mapping[str, str], events: Sequence[ReceivedEvent]
) -> None:
    """
    Apply events in their order by one transaction; where one of them fails, each by its own.

    Raises DatabaseAwayError when nothing could be decided of some of them.
    """
    wanted = [event for event in events if event.type in handlers]
    if len(wanted) > 1:
        try:
            _apply_many(consumer, handlers, wanted)
        except Exception as error:  # noqa: BLE001 - each is tried alone, where its error counts
            _raise_if_away(error)
            log.info("events_are_applied_alone", consumer=consumer, error=type(error).__name__)
        else:
            return
    for event in wanted:
        consume(consumer, handlers, event)


def _apply_many(
    consumer: str, handlers: Mapping[str, str], events: Sequence[ReceivedEvent]
) -> None:
    subjects = {event.subject for event in events}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_LOCK_MANY, [[f"{consumer}|{subject}" for subject in subjects]])
        blocked = set(
            DeadLetter.objects.filter(
                source=consumer, subject__in=subjects, resolved_at__isnull=True
            ).values_list("subject", flat=True)
        )
        fresh = _note(consumer, [event for event in events if event.subject not in blocked])
        for event in events:
            handler: Handler = import_string(handlers[event.type])
            if event.subject in blocked:
                _apply(consumer, handler, event)
            elif event.id in fresh:
                # Kafka may have it twice in one batch.
                fresh.discard(event.id)
                handler(event)
        fault_point("inbox.applied")
    fault_point("inbox.committed")


def _note(consumer: str, events: Sequence[ReceivedEvent]) -> set[uuid.UUID]:
    """Write that events are applied, and return which of them were not before."""
    with connection.cursor() as cursor:
        cursor.execute(_CONSUME_MANY, [consumer, [event.id for event in events]])
        return {event_id for (event_id,) in cursor.fetchall()}


def _apply(consumer: str, handler: Handler, event: ReceivedEvent) -> Outcome:
    with transaction.atomic():
        _lock_subject(consumer, event.subject)
        if ConsumedEvent.objects.filter(consumer=consumer, event_id=event.id).exists():
            return Outcome.REPEATED
        blockers = DeadLetter.objects.filter(
            source=consumer, subject=event.subject, resolved_at__isnull=True
        )
        if blockers.exists():
            _park(consumer, event, reason="waits behind an earlier event", is_waiting=True)
            return Outcome.PARKED
        ConsumedEvent.objects.create(consumer=consumer, event_id=event.id)
        handler(event)
        fault_point("inbox.applied")
    fault_point("inbox.committed")
    return Outcome.APPLIED


def park(consumer: str, event: ReceivedEvent, *, reason: str) -> None:
    """Put an event aside with an owner; later ones of its subject will wait for it."""
    with transaction.atomic():
        _lock_subject(consumer, event.subject)
        _park(consumer, event, reason=reason, is_waiting=False)
    log.error("event_parked", consumer=consumer, type=event.type, event_id=str(event.id))


def park_unreadable(consumer: str, *, place: str, subject: str, reason: str) -> None:
    """Put a message aside that is not an event; `place` is its topic, partition and offset."""
    with connection.cursor() as cursor:
        cursor.execute(_PARK, [consumer, place, subject, 0, None, reason, OWNER, False])
    log.error("message_parked", consumer=consumer, place=place, reason=reason)


def replay(consumer: str, handlers: Mapping[str, str], *, subject: str) -> int:
    """
    Apply a subject's parked events in their order, until one fails again; return how many were.

    A letter that never was an event is closed by its owner, not here: it stays and blocks.
    """
    applied = 0
    letters = DeadLetter.objects.filter(
        source=consumer, subject=subject, resolved_at__isnull=True
    ).order_by("sequence", "pk")
    for letter_id in list(letters.values_list("pk", flat=True)):
        if not _replay_one(consumer, handlers, letter_id=letter_id, subject=subject):
            break
        applied += 1
    return applied


def _replay_one(
    consumer: str, handlers: Mapping[str, str], *, letter_id: int, subject: str
) -> bool:
    try:
        with transaction.atomic():
            _lock_subject(consumer, subject)
            letter = DeadLetter.objects.select_for_update(no_key=True).get(pk=letter_id)
            if letter.resolved_at is None:
                event = envelope.from_members(letter.envelope or {})
                with connection.cursor() as cursor:
                    cursor.execute(_CONSUME, [consumer, event.id])
                    is_new = cursor.rowcount == 1
                if is_new:
                    import_string(handlers[event.type])(event)
                DeadLetter.objects.filter(pk=letter_id).update(resolved_at=Now())
    except Exception as error:
        _raise_if_away(error)
        reason = _reason_of(error)
        DeadLetter.objects.filter(pk=letter_id).update(reason=reason, is_waiting=False)
        log.warning("replay_failed", consumer=consumer, letter_id=letter_id, exc_info=True)
        return False
    return True


def discard(letter_id: int) -> bool:
    """Close a dead letter whose event shall never be applied; what waited behind it can go on."""
    closed = DeadLetter.objects.filter(pk=letter_id, resolved_at__isnull=True)
    return closed.update(resolved_at=Now()) == 1


def purge() -> int:
    """Forget what was applied so long ago that nobody can send it again; return how many rows."""
    with connection.cursor() as cursor:
        cursor.execute(_PURGE, [CONSUMED_DAYS, PURGE_ROWS_MAX])
        return int(cursor.rowcount)


def _park(consumer: str, event: ReceivedEvent, *, reason: str, is_waiting: bool) -> None:
    members = orjson.dumps(orjson.loads(envelope.encode(event))).decode()
    with connection.cursor() as cursor:
        cursor.execute(
            _PARK,
            [
                *(consumer, str(event.id), event.subject, event.sequence, members),
                *(reason, OWNER, is_waiting),
            ],
        )


def _reason_of(error: Exception) -> str:
    """Say what went wrong; a database's error may quote a row, so its text is masked and cut."""
    return mask_text(f"{type(error).__name__}: {error}")[:REASON_LENGTH_MAX]


def _lock_subject(consumer: str, subject: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [f"{consumer}|{subject}"])


def _raise_if_away(error: Exception) -> None:
    """Raise DatabaseAwayError if the error came from a database that does not answer now either."""
    if not isinstance(error, (OperationalError, InterfaceError)):
        return
    try:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as still_away:
        raise DatabaseAwayError from still_away
