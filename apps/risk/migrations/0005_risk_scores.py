"""From which risk score on a debit is declined; a rule replaced before it held ends as it begins."""

from django.db import migrations, models


def ends_not_before_it_begins(name):
    condition = models.Q(valid_to_date__isnull=True) | models.Q(
        valid_to_date__gte=models.F("valid_from_date")
    )
    return models.CheckConstraint(condition=condition, name=f"{name}_ends_not_before_it_begins")


class Migration(migrations.Migration):
    dependencies = [("risk", "0004_first_day")]

    operations = [
        migrations.CreateModel(
            name="RiskScoreRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("provider", models.CharField(max_length=20)),
                ("score_type", models.CharField(max_length=20)),
                ("threshold", models.IntegerField()),
                ("valid_from_date", models.DateField()),
                ("valid_to_date", models.DateField(blank=True, null=True)),
                ("source", models.CharField(max_length=200)),
            ],
            options={
                "db_table": "risk_score_rule",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("threshold__gte", 1), ("threshold__lte", 99999)),
                        name="risk_score_rule_is_a_score",
                    ),
                    ends_not_before_it_begins("risk_score_rule"),
                    models.UniqueConstraint(
                        condition=models.Q(("valid_to_date__isnull", True)),
                        fields=("provider", "score_type"),
                        name="risk_score_rule_is_one_at_last",
                    ),
                ],
            },
        ),
        migrations.RemoveConstraint("limitrule", "limit_rule_ends_after_it_begins"),
        migrations.AddConstraint("limitrule", ends_not_before_it_begins("limit_rule")),
    ]
