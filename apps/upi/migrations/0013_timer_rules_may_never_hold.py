"""A timer's rule that is replaced before it held ends on the day it begins."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("upi", "0012_caps_may_never_hold")]

    operations = [
        migrations.RemoveConstraint("timerrule", "timer_rule_ends_after_it_begins"),
        migrations.AddConstraint(
            "timerrule",
            models.CheckConstraint(
                name="timer_rule_ends_not_before_it_begins",
                condition=models.Q(valid_to_date__isnull=True)
                | models.Q(valid_to_date__gte=models.F("valid_from_date")),
            ),
        ),
    ]
