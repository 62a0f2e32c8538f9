"""The limits of a payment between persons, as they stand."""

import datetime as dt

from django.db import migrations

# Circulars are dated; where the day is not public, the year's first day stands for it.
FROM = dt.date(2021, 1, 1)
RULES = [
    ("PAYMENT_AMOUNT", 1_00_000_00, "UPI person to person: 1,00,000 rupees a transaction"),
    ("DAY_AMOUNT", 1_00_000_00, "UPI person to person: 1,00,000 rupees a day"),
    ("DAY_COUNT", 20, "UPI person to person: 20 payments in 24 hours, counted by Indian day"),
]


def add_rules(apps, schema_editor):
    rules = apps.get_model("risk", "LimitRule").objects.using(schema_editor.connection.alias)
    for rule, value, source in RULES:
        rules.create(rule=rule, value=value, valid_from_date=FROM, source=source)


class Migration(migrations.Migration):
    dependencies = [("risk", "0001_initial")]

    operations = [migrations.RunPython(add_rules, migrations.RunPython.noop)]
