"""The outbox, the inbox, what is parked, and the keys of idempotent requests."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.common import ids

SHARDS = 16


class OutboxEvent(models.Model):
    """
    A fact waiting to be published, or published.

    Written by `outbox.publish` only. `sequence` comes from the database, so that of two
    transactions one after the other the later has the higher number, whatever their clocks say.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    sequence = models.BigIntegerField()
    type = models.TextField()
    subject = models.TextField()
    shard = models.SmallIntegerField()
    data = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    published_at = models.DateTimeField(null=True)
    parked_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                name="outbox_pending",
                fields=["shard", "sequence"],
                condition=Q(published_at=None, parked_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class OutboxShard(models.Model):
    """A share of the outbox that one relay at a time publishes, which keeps a subject's order."""

    id = models.SmallIntegerField(primary_key=True)
    claim = models.UUIDField(null=True)
    next_action_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"shard {self.pk}"


class KafkaCluster(models.Model):
    """Which cluster the published events went to; there is one row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    cluster_id = models.TextField()
    adopted_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="kafka_cluster_is_one", condition=Q(id=1))
        ]

    def __str__(self) -> str:
        return self.cluster_id


class ConsumedEvent(models.Model):
    """Says that a consumer has applied an event; written in the transaction of its effect."""

    id = models.BigAutoField(primary_key=True)
    consumer = models.TextField()
    event_id = models.UUIDField()
    consumed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="consumed_once", fields=["consumer", "event_id"])
        ]
        indexes: ClassVar = [models.Index(name="consumed_by_age", fields=["consumed_at"])]

    def __str__(self) -> str:
        return f"{self.consumer} {self.event_id}"


class DeadLetter(models.Model):
    """
    Something that could not be done and waits for its owner.

    `source` is a consumer group, "outbox", or the name of a work table. A later event of a parked
    subject is parked behind it (`is_waiting`), so that a consumer never sees a gap.
    """

    id = models.BigAutoField(primary_key=True)
    source = models.TextField()
    item_id = models.TextField()
    subject = models.TextField(blank=True)
    sequence = models.BigIntegerField(default=0)
    envelope = models.JSONField(null=True)
    reason = models.TextField()
    owner = models.TextField()
    is_waiting = models.BooleanField(default=False)
    parked_at = models.DateTimeField(db_default=Now())
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="dead_letter_open_once",
                fields=["source", "item_id"],
                condition=Q(resolved_at=None),
            ),
            models.CheckConstraint(
                name="dead_letter_is_owned", condition=~Q(owner="") & ~Q(reason="")
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="dead_letter_open",
                fields=["source", "subject", "sequence"],
                condition=Q(resolved_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.item_id}"


class IdempotencyKey(models.Model):
    """A key that a client gave to a request, and what the request made."""

    id = models.BigAutoField(primary_key=True)
    client = models.TextField()
    key = models.TextField(db_collation="C")
    fingerprint = models.BinaryField(max_length=32)
    reference = models.TextField()
    http_status = models.SmallIntegerField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="idempotency_key_once", fields=["client", "key"])
        ]
        indexes: ClassVar = [models.Index(name="idempotency_key_by_age", fields=["created_at"])]

    def __str__(self) -> str:
        return f"{self.client} {self.key}"
