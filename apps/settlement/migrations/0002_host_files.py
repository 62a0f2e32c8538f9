"""The core-banking host's day files, line by line: proof, so nobody changes it."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from apps.common.partitions import AppendOnly


class Migration(migrations.Migration):

    dependencies = [
        ('settlement', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='HostFile',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('business_date', models.DateField(unique=True)),
                ('digest', models.BinaryField(max_length=32)),
                ('rows', models.IntegerField()),
                ('taken_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'db_table': 'settlement_host_file',
            },
        ),
        migrations.CreateModel(
            name='HostFileLine',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=6)),
                ('terminal', models.CharField(max_length=8)),
                ('stan', models.IntegerField()),
                ('sent_at', models.DateTimeField()),
                ('rrn', models.CharField(max_length=12)),
                ('processing_code', models.CharField(max_length=6)),
                ('upi_id', models.CharField(max_length=35)),
                ('account', models.CharField(max_length=28)),
                ('amount_paise', models.BigIntegerField()),
                ('sign', models.CharField(max_length=1)),
                ('at', models.DateTimeField()),
                ('file', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='settlement.hostfile')),
            ],
            options={
                'db_table': 'settlement_host_file_line',
                'indexes': [models.Index(fields=['sent_at', 'stan', 'terminal'], name='host_file_line_trace')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['POSTED', 'UNDONE'])), name='host_file_line_kind_is_known'), models.CheckConstraint(condition=models.Q(('amount_paise__gt', 0)), name='host_file_line_amount_is_positive')],
            },
        ),
        AppendOnly('HostFile'),
        AppendOnly('HostFileLine'),
    ]
