"""The account that mirrors all customers' accounts when a core-banking host keeps them."""

from django.db import migrations

from apps.common import clock


def open_account(apps, schema_editor):
    # The host alone knows what its customers hold, so nothing bounds their mirror.
    apps.get_model("ledger", "LedgerAccount").objects.using(schema_editor.connection.alias).create(
        code="CORE_BANKING",
        name="Customers' accounts at the core-banking host",
        opened_at=clock.now(),
    )


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_chart")]

    operations = [migrations.RunPython(open_account, migrations.RunPython.noop)]
