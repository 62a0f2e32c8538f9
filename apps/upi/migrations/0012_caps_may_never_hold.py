"""A cap that is replaced before it held ends on the day it begins."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("upi", "0011_cap_rows_on_others")]

    operations = [
        migrations.RemoveConstraint("apicap", "api_cap_ends_after_it_begins"),
        migrations.AddConstraint(
            "apicap",
            models.CheckConstraint(
                condition=models.Q(valid_to_date__isnull=True)
                | models.Q(valid_to_date__gte=models.F("valid_from_date")),
                name="api_cap_ends_not_before_it_begins",
            ),
        ),
    ]
