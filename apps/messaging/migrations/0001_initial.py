"""The outbox, the inbox, dead letters and idempotency keys."""

import apps.common.ids
import django.db.models.functions.datetime
from django.db import migrations, models

from apps.common import partitions
from apps.messaging.models import SHARDS


def make_shards(apps, schema_editor):
    shards = apps.get_model('messaging', 'OutboxShard').objects.using(schema_editor.connection.alias)
    shards.bulk_create(shards.model(pk=number) for number in range(SHARDS))


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.RunSQL(
            'CREATE SEQUENCE messaging_outbox_sequence', 'DROP SEQUENCE messaging_outbox_sequence'
        ),
        migrations.CreateModel(
            name='OutboxShard',
            fields=[
                ('id', models.SmallIntegerField(primary_key=True, serialize=False)),
                ('claim', models.UUIDField(null=True)),
                ('next_action_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name='KafkaCluster',
            fields=[
                ('id', models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('cluster_id', models.TextField()),
                ('adopted_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='kafka_cluster_is_one')],
            },
        ),
        migrations.CreateModel(
            name='ConsumedEvent',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('consumer', models.TextField()),
                ('event_id', models.UUIDField()),
                ('consumed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'indexes': [models.Index(fields=['consumed_at'], name='consumed_by_age')],
                'constraints': [models.UniqueConstraint(fields=('consumer', 'event_id'), name='consumed_once')],
            },
        ),
        migrations.CreateModel(
            name='DeadLetter',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('source', models.TextField()),
                ('item_id', models.TextField()),
                ('subject', models.TextField(blank=True)),
                ('sequence', models.BigIntegerField(default=0)),
                ('envelope', models.JSONField(null=True)),
                ('reason', models.TextField()),
                ('owner', models.TextField()),
                ('is_waiting', models.BooleanField(default=False)),
                ('parked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('resolved_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('resolved_at', None)), fields=['source', 'subject', 'sequence'], name='dead_letter_open')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('resolved_at', None)), fields=('source', 'item_id'), name='dead_letter_open_once'), models.CheckConstraint(condition=models.Q(models.Q(('owner', ''), _negated=True), models.Q(('reason', ''), _negated=True)), name='dead_letter_is_owned')],
            },
        ),
        migrations.CreateModel(
            name='IdempotencyKey',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('client', models.TextField()),
                ('key', models.TextField(db_collation='C')),
                ('fingerprint', models.BinaryField(max_length=32)),
                ('reference', models.TextField()),
                ('http_status', models.SmallIntegerField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'indexes': [models.Index(fields=['created_at'], name='idempotency_key_by_age')],
                'constraints': [models.UniqueConstraint(fields=('client', 'key'), name='idempotency_key_once')],
            },
        ),
        partitions.CreatePartitionedModel(
            name='OutboxEvent',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('sequence', models.BigIntegerField()),
                ('type', models.TextField()),
                ('subject', models.TextField()),
                ('shard', models.SmallIntegerField()),
                ('data', models.JSONField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('published_at', models.DateTimeField(null=True)),
                ('parked_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddIndex(
            model_name='outboxevent',
            index=models.Index(condition=models.Q(('parked_at', None), ('published_at', None)), fields=['shard', 'sequence'], name='outbox_pending'),
        ),
        migrations.RunPython(make_shards, migrations.RunPython.noop),
    ]
