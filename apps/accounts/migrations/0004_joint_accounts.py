"""Accounts that several persons hold together."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_checks'),
    ]

    operations = [
        migrations.AddField(
            model_name='bankaccount',
            name='is_joint',
            field=models.BooleanField(db_default=False),
        ),
    ]
