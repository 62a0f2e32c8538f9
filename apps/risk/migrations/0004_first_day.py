"""The limits of the first 24 hours, and the bank's own."""

import datetime as dt

import django.contrib.postgres.constraints
import django.db.models.deletion
from django.db import migrations, models

import apps.risk.models

NEW_RULES = [
    "FIRST_PAYMENT_AMOUNT",
    "FIRST_DAY_AMOUNT",
    "BANK_PAYMENT_AMOUNT",
    "BANK_DAY_AMOUNT",
]
RULES = ["PAYMENT_AMOUNT", "DAY_AMOUNT", "DAY_COUNT", "SHARED_QR", *NEW_RULES]
# The circular's day is not public; the year's first day stands for it.
FROM = dt.date(2021, 1, 1)
SOURCE = "UPI response codes FL and FP: 5,000 rupees in the first 24 hours"


def add_rules(apps, schema_editor):
    rules = apps.get_model("risk", "LimitRule").objects.using(schema_editor.connection.alias)
    for rule in ("FIRST_PAYMENT_AMOUNT", "FIRST_DAY_AMOUNT"):
        rules.create(rule=rule, value=5_000_00, valid_from_date=FROM, source=SOURCE)


# Who has paid before is no new customer.
KNOWN = """
    INSERT INTO risk_first_use (account_id, device, began_at, amount_paise)
    SELECT DISTINCT account_id, '', '2000-01-01T00:00:00Z'::timestamptz, 0
      FROM risk_limit_usage WHERE payments > 0
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_checks"), ("risk", "0003_shared_qr")]

    operations = [
        migrations.CreateModel(
            name="FirstUse",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="accounts.bankaccount",
                    ),
                ),
                ("device", models.CharField(blank=True, max_length=64)),
                ("began_at", models.DateTimeField(null=True)),
                ("amount_paise", models.BigIntegerField(default=0)),
            ],
            options={
                "db_table": "risk_first_use",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_paise__gte", 0)),
                        name="first_use_is_not_negative",
                    )
                ],
            },
        ),
        migrations.AlterField(
            model_name="limitrule",
            name="rule",
            field=models.CharField(choices=[(rule, rule) for rule in RULES], max_length=20),
        ),
        migrations.RemoveConstraint(model_name="limitrule", name="limit_rule_is_known"),
        migrations.AddConstraint(
            model_name="limitrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("rule__in", RULES)), name="limit_rule_is_known"
            ),
        ),
        *(
            migrations.AddConstraint(
                model_name="limitrule",
                constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                    condition=models.Q(("rule", rule)),
                    expressions=[
                        (apps.risk.models.DateRange("valid_from_date", "valid_to_date"), "&&")
                    ],
                    name=f"limit_rule_{rule.lower()}_does_not_overlap",
                ),
            )
            for rule in NEW_RULES
        ),
        migrations.RunPython(add_rules, migrations.RunPython.noop),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
    ]
