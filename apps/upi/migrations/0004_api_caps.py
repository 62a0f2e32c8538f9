"""The caps on our calls, as circulars OC-215 and OC-215A have them."""

import datetime as dt

from django.db import migrations

FROM = dt.date(2025, 7, 31)
DAY_SECONDS = 24 * 3600
OC_215A = "Circular OC-215A, in force on 31 July 2025"
CAPS = [
    ("BalEnq", "CUSTOMER", 50, DAY_SECONDS, "ANY_TIME", OC_215A),
    ("ListAccount", "CUSTOMER", 25, DAY_SECONDS, "ANY_TIME", OC_215A),
    ("ListKeys", "PSP", 1, DAY_SECONDS, "NOT_IN_PEAK", OC_215A),
    ("ListPSPKeys", "PSP", 1, DAY_SECONDS, "NOT_IN_PEAK", OC_215A),
    ("ListVae", "PSP", 1, DAY_SECONDS, "NOT_IN_PEAK", OC_215A),
    # The directories' own number is not public: once a day, as for the other lists.
    ("ListPsp", "PSP", 1, DAY_SECONDS, "NOT_IN_PEAK", "Project rule: cached, daily"),
    ("ListAccPvd", "PSP", 1, DAY_SECONDS, "NOT_IN_PEAK", "Project rule: cached, daily"),
    ("ManageVae", "PSP", None, DAY_SECONDS, "NOT_IN_PEAK", OC_215A),
    # OC-215 says three within two hours, OC-98 three in a day: the stricter holds.
    ("ChkTxn", "TRANSACTION", 3, DAY_SECONDS, "ANY_TIME", "Circulars OC-215 and OC-98"),
]
PEAK_HOURS = [
    (dt.time(10), dt.time(13), OC_215A),
    (dt.time(17), dt.time(21, 30), OC_215A),
]


def add_rows(apps, schema_editor):
    alias = schema_editor.connection.alias
    caps = apps.get_model("upi", "ApiCap").objects.using(alias)
    for api, kind, cap, window, peak_rule, source in CAPS:
        caps.create(
            api=api,
            subject_kind=kind,
            cap=cap,
            window_seconds=window,
            peak_rule=peak_rule,
            valid_from_date=FROM,
            source=source,
        )
    hours = apps.get_model("upi", "PeakHours").objects.using(alias)
    for begins_at, ends_at, source in PEAK_HOURS:
        hours.create(begins_at=begins_at, ends_at=ends_at, valid_from_date=FROM, source=source)


class Migration(migrations.Migration):
    dependencies = [("upi", "0003_api_budget")]

    operations = [migrations.RunPython(add_rows, migrations.RunPython.noop)]
