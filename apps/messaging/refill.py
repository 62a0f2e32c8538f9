"""
Give a Kafka cluster again what it has lost; consumers know by id what they have applied.

An event that is made unpublished is sent by the relay like any other, in the order of its
sequence, before anything newer of its subject.
"""

import structlog
from django.db import connection, transaction

from apps.messaging.models import KafkaCluster

log = structlog.get_logger(__name__)

# Longer than any consumer is allowed to be behind, far shorter than consumers remember.
REFILL_HOURS = 24
CONSUMED_DAYS = 30

_UNPUBLISH = """
    UPDATE messaging_outboxevent SET published_at = NULL
     WHERE published_at >= clock_timestamp() - make_interval(hours => %s) AND parked_at IS NULL
"""
_ADOPT = """
    INSERT INTO messaging_kafkacluster (id, cluster_id) VALUES (1, %s) ON CONFLICT (id) DO NOTHING
"""


def adopt_cluster(cluster_id: str) -> int:
    """
    Make a cluster the one that events go to, and return how many go to it once more.

    A cluster other than the last, such as one that keeps everything in memory and was restarted,
    has none of the last day's events: they are published again.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ADOPT, [cluster_id])
        cluster = KafkaCluster.objects.select_for_update(no_key=True).get()
        if cluster.cluster_id == cluster_id:
            return 0
        KafkaCluster.objects.update(cluster_id=cluster_id)
        events = unpublish(hours=REFILL_HOURS)
    log.warning("kafka_cluster_replaced", events_to_publish_again=events)
    return events


def unpublish(*, hours: int) -> int:
    """Let the relay publish again what was published in the last hours; return how many events."""
    assert 0 < hours < CONSUMED_DAYS * 24, "consumers must still remember what they applied"
    with connection.cursor() as cursor:
        cursor.execute(_UNPUBLISH, [hours])
        return int(cursor.rowcount)
