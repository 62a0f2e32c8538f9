"""When a call to the host was last sent again."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_core_banking_calls'),
    ]

    operations = [
        migrations.AddField(
            model_name='corebankingcall',
            name='repeated_at',
            field=models.DateTimeField(null=True),
        ),
    ]
