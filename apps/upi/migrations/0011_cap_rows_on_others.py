"""How often other PSPs may ask us: what a circular allows a customer, and bounds of our own."""

import datetime as dt

from django.db import migrations

FROM = dt.date(2025, 7, 31)
DAY_SECONDS = 24 * 3600
HOUR_SECONDS = 3600
OC_215A = "Circular OC-215A, in force on 31 July 2025"
# OC-215A allows ValAdd only where a payment follows, and names no number; nobody pays so often.
CUSTOMER = "Project rule: more than the payments of a customer's day"
# Numbers cannot be listed through us by forging customers: ten thousand in a row meet this cap.
PSP = "Project rule: against lists made by asking"
CAPS = [
    ("ListAccount", "CUSTOMER", 25, DAY_SECONDS, OC_215A),
    ("ListAccount", "PSP", 3000, HOUR_SECONDS, PSP),
    ("ValAdd", "CUSTOMER", 200, DAY_SECONDS, CUSTOMER),
    ("ValAdd", "PSP", 6000, HOUR_SECONDS, PSP),
]


def add_rows(apps, schema_editor):
    caps = apps.get_model("upi", "ApiCap").objects.using(schema_editor.connection.alias)
    for api, kind, cap, window, source in CAPS:
        caps.create(
            api=api,
            direction="IN",
            subject_kind=kind,
            cap=cap,
            window_seconds=window,
            peak_rule="ANY_TIME",
            valid_from_date=FROM,
            source=source,
        )


class Migration(migrations.Migration):
    dependencies = [("upi", "0010_caps_on_others")]

    operations = [migrations.RunPython(add_rows, migrations.RunPython.noop)]
