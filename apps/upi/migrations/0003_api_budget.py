"""How often each API may be called, and each use that was made."""

import django.contrib.postgres.constraints

import apps.upi.budget_models
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('upi', '0002_no_statistics_of_pin_blocks'),
    ]

    operations = [
        migrations.CreateModel(
            name='ApiCap',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('api', models.CharField(choices=[('BalEnq', 'BalEnq'), ('ListAccount', 'ListAccount'), ('ListKeys', 'ListKeys'), ('ListPSPKeys', 'ListPSPKeys'), ('ListVae', 'ListVae'), ('ManageVae', 'ManageVae'), ('ListPsp', 'ListPsp'), ('ListAccPvd', 'ListAccPvd'), ('ChkTxn', 'ChkTxn')], max_length=20)),
                ('subject_kind', models.CharField(choices=[('CUSTOMER', 'CUSTOMER'), ('PSP', 'PSP'), ('TRANSACTION', 'TRANSACTION')], max_length=11)),
                ('cap', models.IntegerField(null=True)),
                ('window_seconds', models.IntegerField()),
                ('peak_rule', models.CharField(choices=[('ANY_TIME', 'ANY_TIME'), ('NOT_IN_PEAK', 'NOT_IN_PEAK')], max_length=11)),
                ('valid_from_date', models.DateField()),
                ('valid_to_date', models.DateField(blank=True, null=True)),
                ('source', models.CharField(max_length=200)),
            ],
            options={
                'verbose_name': 'API cap',
                'verbose_name_plural': 'API budget',
                'db_table': 'upi_api_cap',
                'constraints': [models.CheckConstraint(condition=models.Q(('api__in', ['BalEnq', 'ListAccount', 'ListKeys', 'ListPSPKeys', 'ListVae', 'ManageVae', 'ListPsp', 'ListAccPvd', 'ChkTxn'])), name='api_cap_api_is_known'), models.CheckConstraint(condition=models.Q(('subject_kind__in', ['CUSTOMER', 'PSP', 'TRANSACTION'])), name='api_cap_subject_kind_is_known'), models.CheckConstraint(condition=models.Q(('peak_rule__in', ['ANY_TIME', 'NOT_IN_PEAK'])), name='api_cap_peak_rule_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('cap__isnull', True), ('cap__gt', 0), _connector='OR'), ('window_seconds__gt', 0)), name='api_cap_is_positive'), models.CheckConstraint(condition=models.Q(('valid_to_date__isnull', True), ('valid_to_date__gt', models.F('valid_from_date')), _connector='OR'), name='api_cap_ends_after_it_begins'), django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'BalEnq')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_balenq_does_not_overlap'), django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'ListAccount')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_listaccount_does_not_overlap'), django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'ListKeys')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_listkeys_does_not_overlap'), django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'ListPSPKeys')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_listpspkeys_does_not_overlap'), django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'ListVae')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_listvae_does_not_overlap'), django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'ManageVae')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_managevae_does_not_overlap'), django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'ListPsp')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_listpsp_does_not_overlap'), django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'ListAccPvd')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_listaccpvd_does_not_overlap'), django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('api', 'ChkTxn')), expressions=[(apps.upi.budget_models.DateRange('valid_from_date', 'valid_to_date'), '&&')], name='api_cap_chktxn_does_not_overlap')],
            },
        ),
        migrations.CreateModel(
            name='ApiUse',
            fields=[
                ('exchange_id', models.UUIDField(primary_key=True, serialize=False)),
                ('api', models.CharField(max_length=20)),
                ('subject', models.CharField(max_length=255)),
                ('used_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'API use',
                'db_table': 'upi_api_use',
                'indexes': [models.Index(fields=['api', 'subject', 'used_at'], name='api_use_of_subject'), models.Index(fields=['used_at'], name='api_use_age')],
            },
        ),
        migrations.CreateModel(
            name='PeakHours',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('begins_at', models.TimeField()),
                ('ends_at', models.TimeField()),
                ('valid_from_date', models.DateField()),
                ('valid_to_date', models.DateField(blank=True, null=True)),
                ('source', models.CharField(max_length=200)),
            ],
            options={
                'verbose_name': 'peak hours',
                'verbose_name_plural': 'peak hours',
                'db_table': 'upi_peak_hours',
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('begins_at'))), name='peak_hours_end_after_they_begin'), models.CheckConstraint(condition=models.Q(('valid_to_date__isnull', True), ('valid_to_date__gt', models.F('valid_from_date')), _connector='OR'), name='peak_hours_rule_ends_after_it_begins')],
            },
        ),
    ]
