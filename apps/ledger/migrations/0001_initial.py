"""The books: accounts, monthly partitions of transfers, and the keys that make them happen once."""

from django.db import migrations, models

from apps.common import ids
from apps.common.partitions import AppendOnly, CreatePartitionedModel

KINDS = [("SINGLE", "SINGLE"), ("PENDING", "PENDING"), ("POST", "POST"), ("VOID", "VOID")]


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="LedgerAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(blank=True, max_length=40, null=True, unique=True)),
                ("name", models.CharField(max_length=100)),
                ("debits_posted_paise", models.BigIntegerField(default=0)),
                ("credits_posted_paise", models.BigIntegerField(default=0)),
                ("debits_pending_paise", models.BigIntegerField(default=0)),
                ("credits_pending_paise", models.BigIntegerField(default=0)),
                ("debits_must_not_exceed_credits", models.BooleanField(default=False)),
                ("credits_must_not_exceed_debits", models.BooleanField(default=False)),
                ("opened_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "ledger account",
                "db_table": "ledger_account",
                "constraints": [
                    models.CheckConstraint(
                        name="ledger_account_totals_are_not_negative",
                        condition=models.Q(
                            debits_posted_paise__gte=0,
                            credits_posted_paise__gte=0,
                            debits_pending_paise__gte=0,
                            credits_pending_paise__gte=0,
                        ),
                    ),
                    models.CheckConstraint(
                        name="ledger_account_debits_do_not_exceed_credits",
                        condition=models.Q(debits_must_not_exceed_credits=False)
                        | models.Q(
                            credits_posted_paise__gte=models.F("debits_posted_paise")
                            + models.F("debits_pending_paise")
                        ),
                    ),
                    models.CheckConstraint(
                        name="ledger_account_credits_do_not_exceed_debits",
                        condition=models.Q(credits_must_not_exceed_debits=False)
                        | models.Q(
                            debits_posted_paise__gte=models.F("credits_posted_paise")
                            + models.F("credits_pending_paise")
                        ),
                    ),
                ],
            },
        ),
        # Totals change all day and no index holds them: free room on the page keeps those updates
        # from touching an index.
        migrations.RunSQL(
            "ALTER TABLE ledger_account SET (fillfactor = 80)",
            "ALTER TABLE ledger_account RESET (fillfactor)",
        ),
        CreatePartitionedModel(
            name="Transfer",
            fields=[
                ("id", models.UUIDField(default=ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("key", models.CharField(db_collation="C", max_length=120)),
                ("kind", models.CharField(choices=KINDS, max_length=7)),
                ("debit_account_id", models.BigIntegerField()),
                ("credit_account_id", models.BigIntegerField()),
                ("amount_paise", models.BigIntegerField()),
                ("pending_key", models.CharField(db_collation="C", max_length=120, null=True)),
                ("purpose", models.CharField(max_length=40)),
                ("debit_balance_after_paise", models.BigIntegerField()),
                ("credit_balance_after_paise", models.BigIntegerField()),
                ("posted_at", models.DateTimeField()),
            ],
            options={
                "db_table": "ledger_transfer",
                "constraints": [
                    models.CheckConstraint(
                        name="ledger_transfer_amount_is_positive",
                        condition=models.Q(amount_paise__gt=0),
                    ),
                    models.CheckConstraint(
                        name="ledger_transfer_accounts_differ",
                        condition=~models.Q(debit_account_id=models.F("credit_account_id")),
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="Transfer",
            index=models.Index(fields=["debit_account_id", "id"], name="ledger_transfer_debit"),
        ),
        migrations.AddIndex(
            model_name="Transfer",
            index=models.Index(fields=["credit_account_id", "id"], name="ledger_transfer_credit"),
        ),
        AppendOnly("Transfer"),
        migrations.CreateModel(
            name="TransferKey",
            fields=[
                ("digest", models.UUIDField(primary_key=True, serialize=False)),
                ("transfer_id", models.UUIDField()),
                ("kind", models.CharField(choices=KINDS, max_length=7)),
                ("debit_account_id", models.BigIntegerField()),
                ("credit_account_id", models.BigIntegerField()),
                ("amount_paise", models.BigIntegerField()),
                ("pending_digest", models.UUIDField(null=True)),
                ("purpose", models.CharField(max_length=40)),
            ],
            options={
                "db_table": "ledger_transfer_key",
                "constraints": [
                    models.UniqueConstraint(
                        name="ledger_transfer_key_resolves_once",
                        fields=["pending_digest"],
                        condition=models.Q(pending_digest__isnull=False),
                    ),
                    models.CheckConstraint(
                        name="ledger_transfer_key_names_its_pending",
                        condition=models.Q(kind__in=["POST", "VOID"], pending_digest__isnull=False)
                        | models.Q(kind__in=["SINGLE", "PENDING"], pending_digest__isnull=True),
                    ),
                ],
            },
        ),
        AppendOnly("TransferKey"),
    ]
