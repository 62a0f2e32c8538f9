"""Since when a peer is up or down."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('upi', '0004_api_caps'),
    ]

    operations = [
        migrations.AddField(
            model_name='organisation',
            name='state_changed_at',
            field=models.DateTimeField(null=True),
        ),
    ]
