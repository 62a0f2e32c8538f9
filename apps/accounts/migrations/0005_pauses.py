"""Pauses of merchants and of the pool account; what is called off before it began ends as it begins."""

from django.db import migrations, models

KINDS = ["SERVICE", "CORE_BANKING", "HSM", "CUT_OFF", "MERCHANTS", "POOL_ACCOUNT"]


def ends_not_before_it_begins(name):
    condition = models.Q(valid_until_at__isnull=True) | models.Q(
        valid_until_at__gte=models.F("valid_from_at")
    )
    return models.CheckConstraint(condition=condition, name=f"{name}_ends_not_before_it_begins")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_joint_accounts")]

    operations = [
        migrations.AlterField(
            model_name="servicepause",
            name="kind",
            field=models.CharField(choices=[(kind, kind) for kind in KINDS], max_length=12),
        ),
        migrations.RemoveConstraint("servicepause", "service_pause_is_known"),
        migrations.AddConstraint(
            "servicepause",
            models.CheckConstraint(
                name="service_pause_is_known",
                condition=models.Q(
                    side__in=["REMITTER", "BENEFICIARY"],
                    kind__in=["SERVICE", "CORE_BANKING", "CUT_OFF", "POOL_ACCOUNT"],
                )
                | models.Q(side="REMITTER", kind="HSM")
                | models.Q(side="BENEFICIARY", kind="MERCHANTS"),
            ),
        ),
        migrations.RemoveConstraint("servicepause", "service_pause_ends_after_it_begins"),
        migrations.AddConstraint("servicepause", ends_not_before_it_begins("service_pause")),
        migrations.RemoveConstraint(
            "accountrestriction", "account_restriction_ends_after_it_begins"
        ),
        migrations.AddConstraint(
            "accountrestriction", ends_not_before_it_begins("account_restriction")
        ),
    ]
