"""What operators and health checks ask of messaging."""

from collections.abc import Sequence

from django.db import connection

from apps.messaging.models import DeadLetter

_OLDEST = """
    SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8
      FROM messaging_outboxevent WHERE published_at IS NULL AND parked_at IS NULL
"""
_DEFAULTS = """
    SELECT partdefid::regclass::text FROM pg_partitioned_table WHERE partdefid <> 0 ORDER BY 1
"""


def oldest_unpublished_seconds() -> float:
    """Return how long the oldest event that waits for the relay has waited; 0 when none does."""
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST)
        row = cursor.fetchone()
    assert row is not None
    return float(row[0])


def dead_letters_open() -> int:
    """Return how many things are parked and wait for their owners."""
    return DeadLetter.objects.filter(resolved_at__isnull=True).count()


def default_partitions_with_rows() -> list[str]:
    """Return the DEFAULT partitions that are not empty: nobody made the month's in time."""
    with connection.cursor() as cursor:
        cursor.execute(_DEFAULTS)
        names = [name for (name,) in cursor.fetchall()]
        filled = []
        for name in names:
            # regclass::text has quoted the name already.
            cursor.execute(f"SELECT EXISTS (SELECT FROM {name})")  # noqa: S608
            if cursor.fetchone() == (True,):
                filled.append(name)
    return filled


def parked_subjects(consumer: str) -> Sequence[str]:
    """Return the subjects of a consumer that have open dead letters."""
    letters = DeadLetter.objects.filter(source=consumer, resolved_at__isnull=True)
    return list(letters.order_by("subject").values_list("subject", flat=True).distinct())
