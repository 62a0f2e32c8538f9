"""Transactions, legs and their history, monthly, and the keys that make them happen once."""

import apps.common.ids
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from apps.common.partitions import AppendOnly, CreatePartitionedModel


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.RunSQL(
            """
            -- UUIDv7 by the database's clock: 48 bits of milliseconds over a random UUID.
            CREATE FUNCTION payments_uuid7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
              SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING
                substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
            $$
            """,
            "DROP FUNCTION payments_uuid7()",
        ),
        # Within an hour of IST, and again after a million payments: services.accept.
        migrations.RunSQL(
            "CREATE SEQUENCE payments_rrn_sequence MINVALUE 0 MAXVALUE 999999 CYCLE",
            "DROP SEQUENCE payments_rrn_sequence",
        ),
        migrations.CreateModel(
            name='LegRequest',
            fields=[
                ('exchange_id', models.UUIDField(primary_key=True, serialize=False)),
                ('leg_id', models.UUIDField(db_index=True)),
                ('request_message_id', models.CharField(max_length=35)),
                ('wire_transaction_id', models.CharField(max_length=35)),
                ('wire_transaction_at', models.DateTimeField()),
                ('wire_sub_type', models.CharField(max_length=20)),
                ('received_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('answered_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Contradiction',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('leg_id', models.UUIDField()),
                ('transaction_id', models.CharField(max_length=35)),
                ('role', models.CharField(max_length=9)),
                ('state', models.CharField(max_length=19)),
                ('told', models.CharField(max_length=19)),
                ('code', models.CharField(max_length=20)),
                ('source', models.CharField(max_length=20)),
                ('told_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('leg_id', 'told', 'source'), name='contradiction_is_listed_once'), models.CheckConstraint(condition=models.Q(('state', models.F('told')), _negated=True), name='contradiction_contradicts')],
            },
        ),
        migrations.CreateModel(
            name='FileVerdict',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('settlement_date', models.DateField()),
                ('transaction_id', models.CharField(max_length=35)),
                ('rrn', models.CharField(max_length=12)),
                ('response_code', models.CharField(max_length=20)),
                ('amount_paise', models.BigIntegerField()),
                ('is_beneficiary', models.BooleanField()),
                ('recorded_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('transaction_id', 'settlement_date'), name='file_verdict_is_one_per_day')],
            },
        ),
        CreatePartitionedModel(
            name='LegHistory',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('leg_id', models.UUIDField()),
                ('source', models.CharField(max_length=19)),
                ('target', models.CharField(max_length=19)),
                ('code', models.CharField(max_length=20)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'indexes': [models.Index(fields=['leg_id'], name='leg_history_of_leg')],
            },
        ),
        migrations.CreateModel(
            name='LegKey',
            fields=[
                ('leg_id', models.UUIDField(primary_key=True, serialize=False)),
                ('role', models.CharField(max_length=9)),
                ('kind', models.CharField(max_length=6)),
                ('transaction_id', models.CharField(max_length=35)),
                ('rrn_key', models.CharField(max_length=15, null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('transaction_id', 'role', 'kind'), name='leg_key_is_unique'), models.UniqueConstraint(fields=('rrn_key', 'role'), name='rrn_is_unique')],
            },
        ),
        migrations.CreateModel(
            name='Refund',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('transaction_id', models.CharField(max_length=35, unique=True)),
                ('order_id', models.UUIDField()),
                ('amount_paise', models.BigIntegerField()),
                ('reason', models.CharField(max_length=10)),
                ('state', models.CharField(db_default='OPENED', max_length=6)),
                ('opened_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('amount_paise__gt', 0)), name='refund_amount_is_positive')],
            },
        ),
        migrations.CreateModel(
            name='StatusCheck',
            fields=[
                ('exchange_id', models.UUIDField(primary_key=True, serialize=False)),
                ('leg_id', models.UUIDField()),
                ('number', models.SmallIntegerField()),
                ('asked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('answered_at', models.DateTimeField(null=True)),
                ('answer_code', models.CharField(db_default='', max_length=20)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('leg_id', 'number'), name='status_check_number'), models.CheckConstraint(condition=models.Q(('number__gte', 1), ('number__lte', 3)), name='status_checks_are_at_most_three')],
            },
        ),
        migrations.CreateModel(
            name='Transaction',
            fields=[
                ('id', models.CharField(max_length=35, primary_key=True, serialize=False)),
                ('rrn', models.CharField(max_length=12)),
                ('amount_paise', models.BigIntegerField()),
                ('payer_address', models.CharField(max_length=255)),
                ('payer_name', models.CharField(max_length=99)),
                ('payer_type', models.CharField(max_length=6)),
                ('payer_code', models.CharField(max_length=4)),
                ('payee_address', models.CharField(max_length=255)),
                ('payee_name', models.CharField(max_length=99)),
                ('payee_type', models.CharField(max_length=6)),
                ('payee_code', models.CharField(max_length=4)),
                ('note', models.CharField(max_length=50)),
                ('purpose', models.CharField(max_length=2)),
                ('initiation_mode', models.CharField(max_length=2)),
                ('reference', models.CharField(max_length=35)),
                ('reference_url', models.CharField(max_length=35)),
                ('reference_category', models.CharField(max_length=2)),
                ('initiated_at', models.DateTimeField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('amount_paise__gt', 0)), name='transaction_amount_is_positive'), models.CheckConstraint(condition=models.Q(('rrn__regex', '^[0-9]{12}$')), name='transaction_rrn_has_12_digits')],
            },
        ),
        CreatePartitionedModel(
            name='Leg',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('role', models.CharField(max_length=9)),
                ('kind', models.CharField(max_length=6)),
                ('state', models.CharField(max_length=19)),
                ('code', models.CharField(db_default='', max_length=20)),
                ('claim', models.UUIDField(null=True)),
                ('next_action_at', models.DateTimeField(null=True)),
                ('attempts', models.SmallIntegerField(db_default=0)),
                ('parked_at', models.DateTimeField(null=True)),
                ('exchange_id', models.UUIDField(null=True)),
                ('request_message_id', models.CharField(db_default='', max_length=35)),
                ('wire_transaction_id', models.CharField(max_length=35)),
                ('wire_transaction_at', models.DateTimeField()),
                ('wire_sub_type', models.CharField(db_default='', max_length=20)),
                ('received_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('post_before_at', models.DateTimeField(null=True)),
                ('account_number', models.CharField(db_default='', max_length=30)),
                ('account_type', models.CharField(db_default='', max_length=12)),
                ('ifsc', models.CharField(db_default='', max_length=11)),
                ('device_mobile', models.CharField(db_default='', max_length=12)),
                ('device', models.JSONField(null=True)),
                ('owner_id', models.UUIDField(null=True)),
                ('is_on_us', models.BooleanField(db_default=False)),
                ('transfer_id', models.UUIDField(null=True)),
                ('checks', models.SmallIntegerField(db_default=0)),
                ('changed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('transaction', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='legs', to='payments.transaction')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('next_action_at__isnull', False)), fields=['role', 'next_action_at'], name='leg_due'), models.Index(condition=models.Q(('owner_id__isnull', False)), fields=['owner_id', 'id'], name='leg_owner'), models.Index(condition=models.Q(('state__in', ['UNKNOWN', 'CANCELLING']), ('parked_at__isnull', False), _connector='OR'), fields=['role', 'id'], name='leg_open'), models.Index(condition=models.Q(('role', 'REVERSAL')), fields=['id'], name='leg_reversal')],
            },
        ),
        AppendOnly('LegHistory'),
        AppendOnly('Contradiction'),
        AppendOnly('FileVerdict'),
    ]
