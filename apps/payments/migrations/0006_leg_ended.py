"""Find what was declined on a day without reading every leg; made while payments go on."""

from django.db import migrations, models

from apps.common.partitions import AddPartitionedIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("payments", "0005_risk_scores")]

    operations = [
        AddPartitionedIndex(
            "leg",
            models.Index(
                condition=models.Q(("state__in", ["DECLINED", "REFUSED", "FAILED"])),
                fields=["changed_at"],
                name="leg_ended",
            ),
        ),
    ]
