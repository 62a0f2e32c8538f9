"""Planned calls to a core-banking host, their trace numbers, and answers that fit none of them."""

import apps.common.ids
import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_pauses'),
    ]

    operations = [
        migrations.CreateModel(
            name='CancellationPace',
            fields=[
                ('id', models.SmallIntegerField(primary_key=True, serialize=False)),
                ('sent_at', django.contrib.postgres.fields.ArrayField(base_field=models.DateTimeField(), size=None)),
            ],
            options={
                'db_table': 'accounts_cancellation_pace',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='cancellation_pace_is_one_row')],
            },
        ),
        migrations.CreateModel(
            name='CoreBankingCall',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, primary_key=True, serialize=False)),
                ('leg_id', models.UUIDField(null=True)),
                ('kind', models.CharField(choices=[('DEBIT', 'DEBIT'), ('CREDIT', 'CREDIT'), ('REVERSAL', 'REVERSAL'), ('ENQUIRY', 'ENQUIRY'), ('CANCEL', 'CANCEL'), ('BALANCE', 'BALANCE')], max_length=8)),
                ('mti_class', models.CharField(max_length=2)),
                ('acquirer', models.CharField(max_length=11)),
                ('business_date', models.DateField()),
                ('terminal', models.CharField(max_length=8)),
                ('stan', models.IntegerField()),
                ('transmitted_at', models.DateTimeField()),
                ('rrn', models.CharField(max_length=12)),
                ('amount_paise', models.BigIntegerField()),
                ('state', models.CharField(choices=[('PLANNED', 'PLANNED'), ('NOT_SENT', 'NOT_SENT'), ('SILENT', 'SILENT'), ('ANSWERED', 'ANSWERED'), ('LATE', 'LATE')], default='PLANNED', max_length=8)),
                ('repeats', models.SmallIntegerField(db_default=0)),
                ('response_code', models.CharField(db_default='', default='', max_length=2)),
                ('original_code', models.CharField(db_default='', default='', max_length=2)),
                ('approval', models.CharField(db_default='', default='', max_length=6)),
                ('settlement_date', models.DateField(null=True)),
                ('answered_at', models.DateTimeField(null=True)),
                ('original', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.corebankingcall')),
            ],
            options={
                'verbose_name': 'core-banking call',
                'db_table': 'accounts_core_banking_call',
            },
        ),
        migrations.CreateModel(
            name='UnmatchedAnswer',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, primary_key=True, serialize=False)),
                ('received_at', models.DateTimeField()),
                ('reason', models.CharField(choices=[('NO_CALL', 'NO_CALL'), ('OTHER_CONTENT', 'OTHER_CONTENT'), ('CONTRADICTION', 'CONTRADICTION'), ('AFTER_CANCEL', 'AFTER_CANCEL')], max_length=13)),
                ('mti', models.CharField(max_length=4)),
                ('terminal', models.CharField(max_length=32)),
                ('stan', models.CharField(max_length=6)),
                ('transmitted', models.CharField(max_length=10)),
                ('rrn', models.CharField(max_length=12)),
                ('processing_code', models.CharField(max_length=6)),
                ('amount', models.CharField(max_length=12)),
                ('response_code', models.CharField(max_length=2)),
                ('call', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to='accounts.corebankingcall')),
            ],
            options={
                'db_table': 'accounts_unmatched_answer',
            },
        ),
        migrations.AddConstraint(
            model_name='corebankingcall',
            constraint=models.UniqueConstraint(fields=('business_date', 'stan', 'terminal', 'acquirer', 'mti_class'), name='core_banking_call_trace_is_used_once_a_day'),
        ),
        migrations.AddConstraint(
            model_name='corebankingcall',
            constraint=models.UniqueConstraint(condition=models.Q(('kind__in', ['DEBIT', 'CREDIT', 'REVERSAL', 'CANCEL'])), fields=('leg_id', 'kind'), name='core_banking_call_is_one_for_a_leg'),
        ),
        migrations.AddConstraint(
            model_name='corebankingcall',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['DEBIT', 'CREDIT', 'REVERSAL', 'CANCEL']), ('kind__in', ['ENQUIRY', 'BALANCE']), _connector='OR'), name='core_banking_call_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='corebankingcall',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'BALANCE'), ('leg_id__isnull', True)), models.Q(models.Q(('kind', 'BALANCE'), _negated=True), ('leg_id__isnull', False)), _connector='OR'), name='core_banking_call_has_its_leg'),
        ),
        migrations.AddConstraint(
            model_name='corebankingcall',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ['ENQUIRY', 'CANCEL']), ('original__isnull', False)), models.Q(models.Q(('kind__in', ['ENQUIRY', 'CANCEL']), _negated=True), ('original__isnull', True)), _connector='OR'), name='core_banking_call_has_its_original'),
        ),
        migrations.AddConstraint(
            model_name='corebankingcall',
            constraint=models.CheckConstraint(condition=models.Q(('stan__gte', 1), ('stan__lte', 999999)), name='core_banking_call_stan_has_six_digits'),
        ),
        migrations.AddConstraint(
            model_name='corebankingcall',
            constraint=models.CheckConstraint(condition=models.Q(('amount_paise__gte', 0)), name='core_banking_call_amount_is_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='corebankingcall',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('answered_at__isnull', False), ('state__in', ['ANSWERED', 'LATE']), models.Q(('response_code', ''), _negated=True)), models.Q(('answered_at__isnull', True), ('response_code', ''), ('state__in', ['PLANNED', 'NOT_SENT', 'SILENT'])), _connector='OR'), name='core_banking_call_is_answered_with_a_code'),
        ),
        migrations.AddConstraint(
            model_name='unmatchedanswer',
            constraint=models.CheckConstraint(condition=models.Q(('reason__in', ['NO_CALL', 'OTHER_CONTENT', 'CONTRADICTION', 'AFTER_CANCEL'])), name='unmatched_answer_reason_is_known'),
        ),
        # Each number stands for a terminal and a STAN; who draws one has it alone.
        migrations.RunSQL(
            "CREATE SEQUENCE accounts_core_banking_trace MINVALUE 0 START 0",
            "DROP SEQUENCE accounts_core_banking_trace",
        ),
        migrations.RunSQL(
            "INSERT INTO accounts_cancellation_pace (id, sent_at) VALUES (1, '{}')",
            migrations.RunSQL.noop,
        ),
    ]
