"""Requesters whom customers report are blocked for all of them, by dated rules and for a time."""

import datetime as dt

import apps.common.ids
import apps.risk.models
import django.contrib.postgres.constraints
import django.db.models.functions.datetime
from django.db import migrations, models

CODES = ("S1", "S2", "S3")
BEGIN = dt.date(2016, 4, 1)
SOURCE = "our own: the codes S1 to S3 are public, their counts and times are not"
# Code, customers who report within so many hours, and for how many hours the block lasts.
RULES = (("S1", 3, 24, 24), ("S2", 10, 7 * 24, 7 * 24), ("S3", 30, 30 * 24, 30 * 24))


def add_rules(registry, schema_editor):
    rules = registry.get_model("payments", "SpamRule").objects.using(schema_editor.connection.alias)
    for code, customers, within_hours, block_hours in RULES:
        rules.create(
            code=code,
            customers_min=customers,
            within_hours=within_hours,
            block_hours=block_hours,
            valid_from_date=BEGIN,
            source=SOURCE,
        )


class Migration(migrations.Migration):
    dependencies = [("payments", "0006_leg_ended")]

    operations = [
        migrations.CreateModel(
            name="SpamReport",
            fields=[
                ("id", models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("customer_id", models.UUIDField()),
                ("address", models.CharField(max_length=255)),
                ("transaction_id", models.CharField(max_length=35)),
                ("reported_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "indexes": [
                    models.Index(fields=["address", "reported_at"], name="spam_report_of_address")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("transaction_id",), name="collect_is_reported_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RequesterBlock",
            fields=[
                ("id", models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("address", models.CharField(max_length=255)),
                ("code", models.CharField(max_length=2)),
                ("blocked_at", models.DateTimeField()),
                ("until_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["address", "until_at"], name="requester_block_of_address")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(code__in=CODES), name="requester_block_is_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(until_at__gt=models.F("blocked_at")),
                        name="requester_block_lasts",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SpamRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=2)),
                ("customers_min", models.PositiveIntegerField()),
                ("within_hours", models.PositiveIntegerField()),
                ("block_hours", models.PositiveIntegerField()),
                ("valid_from_date", models.DateField()),
                ("valid_to_date", models.DateField(blank=True, null=True)),
                ("source", models.CharField(max_length=200)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(code__in=CODES), name="spam_rule_is_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(customers_min__gt=0, within_hours__gt=0, block_hours__gt=0),
                        name="spam_rule_counts_something",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(valid_to_date__isnull=True)
                        | models.Q(valid_to_date__gte=models.F("valid_from_date")),
                        name="spam_rule_ends_not_before_it_begins",
                    ),
                    *[
                        django.contrib.postgres.constraints.ExclusionConstraint(
                            condition=models.Q(("code", code)),
                            expressions=[
                                (
                                    apps.risk.models.DateRange("valid_from_date", "valid_to_date"),
                                    "&&",
                                )
                            ],
                            name=f"spam_rule_{code.lower()}_does_not_overlap",
                        )
                        for code in CODES
                    ],
                ],
            },
        ),
        migrations.RunPython(add_rules, migrations.RunPython.noop),
    ]
