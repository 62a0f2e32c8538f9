"""What each timer has been from the day on which its circular came into force."""

import datetime as dt
from decimal import Decimal

from django.db import migrations

OC_214 = "Lies within the 15 s (reversal: 10 s) of circular OC-214"
OC_215 = "Circular OC-215"
OURS = "Project rule"
FROM = {OC_214: dt.date(2025, 6, 16), OC_215: dt.date(2025, 5, 21)}
FROM_THE_START = dt.date(2016, 4, 11)
# Timer, seconds, whether the scale of tests shortens it, source.
TIMERS = [
    ("LEG_POSTING", "10", True, OC_214),
    ("ANSWER", "12", True, OC_214),
    ("REVERSAL_ANSWER", "8", True, OC_214),
    ("ANSWER_RESEND_FIRST", "2", True, OURS),
    ("ANSWER_RESEND_SECOND", "5", True, OURS),
    ("CHECK_FIRST_AFTER", "90", True, OC_215),
    ("CHECK_NOT_BEFORE", "90", True, OC_215),
    ("CHECK_WINDOW", "7200", True, OC_215),
    ("PIN_BLOCK_LIFE", "60", True, OURS),
    ("MESSAGE_AGE", "300", False, OURS),
    ("HEARTBEAT", "90", True, "Observed interval"),
    ("ACK_CONNECT", "3", False, OURS),
    ("ACK_READ", "5", False, OURS),
    ("ADDRESS_ANSWER", "15", True, OURS),
    ("ACCOUNT_ANSWER", "30", True, OURS),
    ("PIN_LOCK", "86400", True, "A locked PIN opens after a day"),
    ("OTP_LIFE", "300", True, "Five to ten minutes are usual"),
]


def add_rows(apps, schema_editor):
    rules = apps.get_model("upi", "TimerRule").objects.using(schema_editor.connection.alias)
    for timer, seconds, is_scaled, source in TIMERS:
        rules.create(
            timer=timer,
            seconds=Decimal(seconds),
            is_scaled=is_scaled,
            valid_from_date=FROM.get(source, FROM_THE_START),
            source=source,
        )


class Migration(migrations.Migration):
    dependencies = [("upi", "0007_timer_rule")]

    operations = [migrations.RunPython(add_rows, migrations.RunPython.noop)]
