"""The limit of a person's QR code that came as an image."""

import datetime as dt

import django.contrib.postgres.constraints
from django.db import migrations, models

import apps.risk.models

RULES = ["PAYMENT_AMOUNT", "DAY_AMOUNT", "DAY_COUNT", "SHARED_QR"]
# Circular OC-76A; its day is not public, and the year's first day stands for it.
FROM = dt.date(2021, 1, 1)
SOURCE = "OC-76A: 2,000 rupees by a shared QR code of a person or an unverified shop"


def add_rule(apps, schema_editor):
    rules = apps.get_model("risk", "LimitRule").objects.using(schema_editor.connection.alias)
    rules.create(rule="SHARED_QR", value=2_000_00, valid_from_date=FROM, source=SOURCE)


class Migration(migrations.Migration):
    dependencies = [("risk", "0002_rules")]

    operations = [
        migrations.AlterField(
            model_name="limitrule",
            name="rule",
            field=models.CharField(choices=[(rule, rule) for rule in RULES], max_length=14),
        ),
        migrations.RemoveConstraint(model_name="limitrule", name="limit_rule_is_known"),
        migrations.AddConstraint(
            model_name="limitrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("rule__in", RULES)), name="limit_rule_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="limitrule",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("rule", "SHARED_QR")),
                expressions=[
                    (apps.risk.models.DateRange("valid_from_date", "valid_to_date"), "&&")
                ],
                name="limit_rule_shared_qr_does_not_overlap",
            ),
        ),
        migrations.RunPython(add_rule, migrations.RunPython.noop),
    ]
