"""Legs keep their risk scores; a rule of flows replaced before it held ends as it begins."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0004_collects_and_refunds")]

    operations = [
        migrations.AddField("leg", "risk_scores", models.JSONField(null=True)),
        migrations.RemoveConstraint("flowrule", "flow_rule_ends_after_it_begins"),
        migrations.AddConstraint(
            "flowrule",
            models.CheckConstraint(
                condition=models.Q(valid_to_date__isnull=True)
                | models.Q(valid_to_date__gte=models.F("valid_from_date")),
                name="flow_rule_ends_not_before_it_begins",
            ),
        ),
    ]
