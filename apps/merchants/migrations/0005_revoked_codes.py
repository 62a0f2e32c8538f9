"""QR codes can be called back, and static ones may end."""

import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("merchants", "0004_announcements")]

    operations = [
        migrations.AddField(
            model_name="qrcode",
            name="revoked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.RemoveConstraint("qrcode", "qr_code_is_dynamic_for_an_order"),
        migrations.AddConstraint(
            "qrcode",
            models.CheckConstraint(
                name="qr_code_is_dynamic_for_an_order",
                condition=models.Q(kind="STATIC", order__isnull=True)
                | models.Q(kind="DYNAMIC", order__isnull=False, expires_at__isnull=False),
            ),
        ),
        migrations.AddIndex(
            "qrcode",
            django.contrib.postgres.indexes.HashIndex(
                fields=["payload"], name="qr_codes_by_payload"
            ),
        ),
    ]
