"""The directory, the exchanges, and the log of messages."""

import apps.common.ids
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from apps.common import partitions


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Organisation',
            fields=[
                ('org_id', models.CharField(max_length=20, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=99)),
                ('is_up', models.BooleanField(db_default=True)),
                ('heartbeats_missed', models.SmallIntegerField(db_default=0)),
                ('heartbeat_answered_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Exchange',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('direction', models.CharField(choices=[('IN', 'In'), ('OUT', 'Out')], max_length=3)),
                ('organisation', models.CharField(max_length=20)),
                ('api', models.CharField(max_length=30)),
                ('type', models.CharField(max_length=20)),
                ('sub_type', models.CharField(db_default='', max_length=20)),
                ('txn_id', models.CharField(max_length=35)),
                ('msg_id', models.CharField(max_length=35)),
                ('opened_at', models.DateTimeField()),
                ('body_digest', models.BinaryField(null=True)),
                ('content_digest', models.BinaryField()),
                ('answer_id', models.UUIDField(null=True)),
                ('answer_msg_id', models.CharField(db_default='', max_length=35)),
                ('answer_digest', models.BinaryField(null=True)),
                ('answer_content_digest', models.BinaryField(null=True)),
                ('answered_at', models.DateTimeField(null=True)),
                ('state', models.CharField(db_default='NONE', max_length=10)),
                ('delivery_code', models.CharField(db_default='', max_length=20)),
                ('delivered_at', models.DateTimeField(null=True)),
                ('sends', models.SmallIntegerField(db_default=0)),
                ('expires_at', models.DateTimeField(null=True)),
                ('claim', models.UUIDField(null=True)),
                ('next_action_at', models.DateTimeField(null=True)),
                ('attempts', models.SmallIntegerField(db_default=0)),
                ('parked_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('next_action_at__isnull', False)), fields=['next_action_at'], name='exchange_due'), models.Index(condition=models.Q(('direction', 'OUT')), fields=['txn_id'], name='exchange_out_txn')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('direction', 'IN')), fields=('organisation', 'msg_id'), name='exchange_in_message'), models.UniqueConstraint(condition=models.Q(('direction', 'IN')), fields=('txn_id', 'api', 'type', 'sub_type'), name='exchange_in_request'), models.UniqueConstraint(condition=models.Q(('direction', 'OUT')), fields=('msg_id',), name='exchange_out_message'), models.UniqueConstraint(condition=models.Q(('answer_id__isnull', False), ('direction', 'OUT')), fields=('organisation', 'answer_msg_id'), name='exchange_out_answer'), models.CheckConstraint(condition=models.Q(('direction__in', ['IN', 'OUT'])), name='exchange_direction_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('direction', 'IN'), ('state__in', ['NONE', 'DUE', 'ACKED', 'NACKED', 'EXPIRED'])), models.Q(('direction', 'OUT'), ('state__in', ['NONE', 'ACKED', 'NACKED', 'NOT_SENT', 'SILENT'])), _connector='OR'), name='exchange_state_fits_direction'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'DUE'), _negated=True), models.Q(('answer_id__isnull', False), ('answered_at__isnull', False), ('expires_at__isnull', False)), _connector='OR'), name='exchange_due_has_an_answer')],
            },
        ),
        partitions.CreatePartitionedModel(
            name='MessageLog',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('logged_at', models.DateTimeField()),
                ('direction', models.CharField(choices=[('IN', 'In'), ('OUT', 'Out')], max_length=3)),
                ('outcome', models.CharField(choices=[('ACCEPTED', 'Accepted'), ('REPEATED', 'Repeated'), ('REFUSED', 'Refused'), ('OPENED', 'Opened')], max_length=10)),
                ('exchange_id', models.UUIDField(null=True)),
                ('organisation', models.CharField(db_default='', max_length=20)),
                ('api', models.CharField(db_default='', max_length=30)),
                ('type', models.CharField(db_default='', max_length=20)),
                ('txn_id', models.CharField(db_default='', max_length=35)),
                ('msg_id', models.CharField(db_default='', max_length=35)),
                ('body', models.TextField(db_default='')),
                ('body_size', models.IntegerField()),
                ('body_digest', models.BinaryField()),
                ('signed_info', models.TextField(db_default='')),
                ('signature_value', models.TextField(db_default='')),
                ('ack_code', models.CharField(db_default='', max_length=20)),
                ('reason', models.TextField(db_default='')),
            ],
            options={
                'db_table': 'upi_message_log',
                'indexes': [models.Index(fields=['txn_id'], name='message_log_txn')],
            },
        ),
        migrations.CreateModel(
            name='PinBlock',
            fields=[
                ('exchange_id', models.UUIDField(primary_key=True, serialize=False)),
                ('credentials', models.JSONField()),
                ('stored_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'db_table': 'upi_pin_block',
                'indexes': [models.Index(fields=['stored_at'], name='pin_block_age')],
            },
        ),
        migrations.CreateModel(
            name='ExchangeRepeat',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('organisation', models.CharField(max_length=20)),
                ('msg_id', models.CharField(max_length=35)),
                ('body_digest', models.BinaryField()),
                ('received_at', models.DateTimeField()),
                ('answer_msg_id', models.CharField(max_length=35)),
                ('answered_at', models.DateTimeField(null=True)),
                ('state', models.CharField(db_default='NONE', max_length=10)),
                ('delivery_code', models.CharField(db_default='', max_length=20)),
                ('delivered_at', models.DateTimeField(null=True)),
                ('sends', models.SmallIntegerField(db_default=0)),
                ('expires_at', models.DateTimeField()),
                ('claim', models.UUIDField(null=True)),
                ('next_action_at', models.DateTimeField(null=True)),
                ('attempts', models.SmallIntegerField(db_default=0)),
                ('parked_at', models.DateTimeField(null=True)),
                ('exchange', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='repeats', to='upi.exchange')),
            ],
            options={
                'db_table': 'upi_exchange_repeat',
                'indexes': [models.Index(condition=models.Q(('next_action_at__isnull', False)), fields=['next_action_at'], name='exchange_repeat_due')],
                'constraints': [models.UniqueConstraint(fields=('organisation', 'msg_id'), name='exchange_repeat_message'), models.CheckConstraint(condition=models.Q(('state__in', ['NONE', 'DUE', 'ACKED', 'NACKED', 'EXPIRED'])), name='exchange_repeat_state_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'DUE'), _negated=True), ('answered_at__isnull', False), _connector='OR'), name='exchange_repeat_due_was_answered')],
            },
        ),
        migrations.CreateModel(
            name='PeerKey',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('purpose', models.CharField(choices=[('SIGNING', 'Signing'), ('CREDENTIAL', 'Credential')], max_length=10)),
                ('fingerprint', models.CharField(help_text="SHA-256 of the key's DER form", max_length=64)),
                ('public_pem', models.TextField()),
                ('valid_from_at', models.DateTimeField()),
                ('valid_until_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='keys', to='upi.organisation')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organisation', 'purpose', 'fingerprint'), name='peer_key_once'), models.CheckConstraint(condition=models.Q(('purpose__in', ['SIGNING', 'CREDENTIAL'])), name='peer_key_purpose_is_known'), models.CheckConstraint(condition=models.Q(('valid_until_at', None), ('valid_until_at__gt', models.F('valid_from_at')), _connector='OR'), name='peer_key_ends_after_it_begins')],
            },
        ),
        partitions.AppendOnly('MessageLog'),
        # Credentials must reach neither the write-ahead log nor a backup.
        migrations.RunSQL('ALTER TABLE upi_pin_block SET UNLOGGED', migrations.RunSQL.noop),
    ]
