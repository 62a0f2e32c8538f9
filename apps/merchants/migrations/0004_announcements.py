"""What the network was last asked to say of each merchant."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('merchants', '0003_qr_codes'),
    ]

    operations = [
        migrations.CreateModel(
            name='Announcement',
            fields=[
                ('merchant', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='announcement', serialize=False, to='merchants.merchant')),
                ('operation', models.CharField(max_length=6)),
                ('content', models.CharField(max_length=64)),
                ('state', models.CharField(choices=[('ASKED', 'Asked'), ('LISTED', 'Listed'), ('REMOVED', 'Removed'), ('REFUSED', 'Refused')], default='ASKED', max_length=7)),
                ('exchange_id', models.UUIDField()),
                ('result_code', models.CharField(blank=True, max_length=20)),
                ('asked_at', models.DateTimeField()),
                ('answered_at', models.DateTimeField(null=True)),
            ],
        ),
    ]
