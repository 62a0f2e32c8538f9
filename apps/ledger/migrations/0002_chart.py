"""The bank's own accounts."""

from django.db import migrations

from apps.common import clock

# Cash is ours: no more of it can go out than came in. What we owe the switch and what it owes us
# may turn over when a reversal follows a settlement, so nothing bounds those two.
CHART = [
    ("VAULT_CASH", "Cash in the vault", True),
    ("SWITCH_PAYABLE", "Owed to the UPI switch: money our customers sent", False),
    ("SWITCH_RECEIVABLE", "Due from the UPI switch: money our customers received", False),
]


def open_accounts(apps, schema_editor):
    account = apps.get_model("ledger", "LedgerAccount")
    for code, name, is_cash in CHART:
        account.objects.using(schema_editor.connection.alias).create(
            code=code,
            name=name,
            credits_must_not_exceed_debits=is_cash,
            opened_at=clock.now(),
        )


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [migrations.RunPython(open_accounts, migrations.RunPython.noop)]
