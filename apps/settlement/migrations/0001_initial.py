"""The files that were taken."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='DayFile',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('settlement_date', models.DateField()),
                ('digest', models.BinaryField(max_length=32)),
                ('rows', models.IntegerField()),
                ('is_complete', models.BooleanField()),
                ('applied_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('settlement_date', 'digest', 'is_complete'), name='day_file_is_applied_once')],
            },
        ),
    ]
