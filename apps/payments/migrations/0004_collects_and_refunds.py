"""Collects and refunds: their states, the bound of what goes back, dated rules, blocked requesters."""

import datetime as dt

import apps.common.ids
import apps.risk.models
import django.contrib.postgres.constraints
import django.db.models.functions.datetime
from django.db import migrations, models

FIRST = (
    "PAYER_PSP CREATED",
    "PAYER_PSP RECEIVED",
    "PAYEE_PSP CREATED",
    "PAYEE_PSP RECEIVED",
    "DEBIT RECEIVED",
    "DEBIT REFUSED_BY_REVERSAL",
    "CREDIT RECEIVED",
    "CREDIT REFUSED_BY_REVERSAL",
    "REVERSAL WAITING_ORIGINAL",
)
MOVES = (
    "PAYER_PSP CREATED SENDING",
    "PAYER_PSP SENDING CREATED",
    "PAYER_PSP SENDING DEEMED",
    "PAYER_PSP SENDING FAILED",
    "PAYER_PSP SENDING SUCCESS",
    "PAYER_PSP SENDING UNKNOWN",
    "PAYER_PSP RECEIVED REFUSED",
    "PAYER_PSP RECEIVED WAITING_PAYER",
    "PAYER_PSP WAITING_PAYER AUTHORISED",
    "PAYER_PSP WAITING_PAYER FAILED",
    "PAYER_PSP WAITING_PAYER REFUSED",
    "PAYER_PSP AUTHORISED DEEMED",
    "PAYER_PSP AUTHORISED FAILED",
    "PAYER_PSP AUTHORISED SUCCESS",
    "PAYER_PSP AUTHORISED UNKNOWN",
    "PAYER_PSP UNKNOWN DEEMED",
    "PAYER_PSP UNKNOWN FAILED",
    "PAYER_PSP UNKNOWN SUCCESS",
    "PAYEE_PSP CREATED SENDING",
    "PAYEE_PSP SENDING CONFIRMED",
    "PAYEE_PSP SENDING CREATED",
    "PAYEE_PSP SENDING FAILED",
    "PAYEE_PSP SENDING UNKNOWN",
    "PAYEE_PSP RECEIVED AUTHORISED",
    "PAYEE_PSP RECEIVED REFUSED",
    "PAYEE_PSP AUTHORISED CONFIRMED",
    "PAYEE_PSP AUTHORISED FAILED",
    "PAYEE_PSP AUTHORISED UNKNOWN",
    "PAYEE_PSP UNKNOWN CONFIRMED",
    "PAYEE_PSP UNKNOWN FAILED",
    "DEBIT RECEIVED DECLINED",
    "DEBIT RECEIVED REFUSED_BY_REVERSAL",
    "DEBIT RECEIVED VERIFIED",
    "DEBIT RECEIVED VERIFYING",
    "DEBIT VERIFYING DECLINED",
    "DEBIT VERIFYING REFUSED_BY_REVERSAL",
    "DEBIT VERIFYING VERIFIED",
    "DEBIT VERIFIED DECLINED",
    "DEBIT VERIFIED POSTED",
    "DEBIT VERIFIED POSTING",
    "DEBIT VERIFIED REFUSED_BY_REVERSAL",
    "DEBIT POSTING DECLINED",
    "DEBIT POSTING POSTED",
    "DEBIT POSTING UNKNOWN",
    "DEBIT UNKNOWN CANCELLING",
    "DEBIT UNKNOWN POSTED",
    "DEBIT CANCELLING DECLINED",
    "CREDIT RECEIVED DECLINED",
    "CREDIT RECEIVED POSTED",
    "CREDIT RECEIVED POSTING",
    "CREDIT RECEIVED REFUSED_BY_REVERSAL",
    "CREDIT POSTING DECLINED",
    "CREDIT POSTING POSTED",
    "CREDIT POSTING UNKNOWN",
    "CREDIT UNKNOWN CANCELLING",
    "CREDIT UNKNOWN POSTED",
    "CREDIT CANCELLING DECLINED",
    "REVERSAL WAITING_ORIGINAL KEPT",
    "REVERSAL WAITING_ORIGINAL NOT_DONE",
    "REVERSAL WAITING_ORIGINAL POSTED",
    "REVERSAL WAITING_ORIGINAL POSTING",
    "REVERSAL POSTING POSTED",
    "REVERSAL POSTING UNKNOWN",
    "REVERSAL UNKNOWN POSTED",
)


def _array(words):
    return "ARRAY[" + ", ".join(f"'{word}'" for word in words) + "]"


TRIGGERS = f"""
DROP TRIGGER legal_first ON payments_leg;
DROP TRIGGER legal_move ON payments_leg;
CREATE TRIGGER legal_move BEFORE UPDATE ON payments_leg FOR EACH ROW
  WHEN (OLD.role <> NEW.role OR (OLD.state <> NEW.state AND
        (OLD.role || ' ' || OLD.state || ' ' || NEW.state) <> ALL ({_array(MOVES)})))
  EXECUTE FUNCTION payments_refuse_move();
CREATE TRIGGER legal_first BEFORE INSERT ON payments_leg FOR EACH ROW
  WHEN ((NEW.role || ' ' || NEW.state) <> ALL ({_array(FIRST)}))
  EXECUTE FUNCTION payments_refuse_first();
-- Money leaves an account without its owner's PIN only as a refund.
CREATE TRIGGER pin_is_verified BEFORE UPDATE ON payments_leg FOR EACH ROW
  WHEN (OLD.role = 'DEBIT' AND OLD.state = 'RECEIVED' AND NEW.state = 'VERIFIED'
        AND OLD.wire_sub_type <> 'REFUND')
  EXECUTE FUNCTION payments_refuse_move();
"""

BACKFILL = """
UPDATE payments_refund AS refund
   SET merchant_id = o.merchant_id
  FROM merchants_order AS o WHERE o.id = refund.order_id;
INSERT INTO payments_refundbound (transaction_id, amount_paise, refunded_paise)
SELECT transaction_id, amount_paise, amount_paise FROM payments_refund;
"""

# Circulars are dated; where the day is not public, the year's first day stands for it.
BEGAN = dt.date(2016, 1, 1)
RULES = [
    ("COLLECT_PERSON", True, BEGAN, dt.date(2025, 10, 1), "UPI: a person may ask a person"),
    ("COLLECT_PERSON", False, dt.date(2025, 10, 1), None, "circular OC-220: P2P collect ends"),
    ("COLLECT_MERCHANT", True, BEGAN, None, "UPI: a merchant may ask a payer"),
]


def add_rules(apps, schema_editor):
    rules = apps.get_model("payments", "FlowRule").objects.using(schema_editor.connection.alias)
    for flow, is_allowed, begin, end, source in RULES:
        rules.create(
            flow=flow, is_allowed=is_allowed, valid_from_date=begin, valid_to_date=end,
            source=source,
        )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0003_transactions_are_written_once"),
        ("merchants", "0002_words_for_people"),
        ("risk", "0001_initial"),
    ]

    operations = [
        migrations.AddField("leg", "expires_at", models.DateTimeField(null=True)),
        migrations.AlterField("leg", "kind", models.CharField(max_length=8)),
        migrations.AlterField("legkey", "kind", models.CharField(max_length=8)),
        migrations.RunSQL(TRIGGERS, migrations.RunSQL.noop),
        migrations.CreateModel(
            name="RefundBound",
            fields=[
                ("transaction_id", models.CharField(max_length=35, primary_key=True, serialize=False)),
                ("amount_paise", models.BigIntegerField()),
                ("refunded_paise", models.BigIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            refunded_paise__gte=0, refunded_paise__lte=models.F("amount_paise")
                        ),
                        name="refunds_are_within_the_payment",
                    )
                ],
            },
        ),
        migrations.AddField("refund", "merchant_id", models.UUIDField(null=True)),
        migrations.RunSQL(BACKFILL, migrations.RunSQL.noop),
        migrations.AlterField("refund", "merchant_id", models.UUIDField()),
        migrations.AlterField("refund", "order_id", models.UUIDField(null=True)),
        migrations.AlterField("refund", "transaction_id", models.CharField(max_length=35)),
        migrations.AlterField(
            "refund", "state", models.CharField(db_default="OPENED", max_length=9)
        ),
        migrations.AddField(
            "refund", "reference", models.CharField(db_default="", max_length=35)
        ),
        migrations.AddField("refund", "leg_id", models.UUIDField(null=True, unique=True)),
        migrations.AddField(
            "refund",
            "refund_transaction_id",
            models.CharField(max_length=35, null=True, unique=True),
        ),
        migrations.AddField("refund", "code", models.CharField(db_default="", max_length=20)),
        migrations.AddField("refund", "ended_at", models.DateTimeField(null=True)),
        migrations.AddConstraint(
            "refund",
            models.UniqueConstraint(
                condition=models.Q(("reason", "REQUESTED"), _negated=True),
                fields=("transaction_id",),
                name="refund_owed_is_opened_once",
            ),
        ),
        migrations.AddConstraint(
            "refund",
            models.CheckConstraint(
                condition=models.Q(("state", "OPENED"), ("leg_id__isnull", False), _connector="OR"),
                name="refund_is_sent_by_a_leg",
            ),
        ),
        migrations.AddIndex(
            "refund", models.Index(fields=["transaction_id"], name="refund_of_transaction")
        ),
        migrations.AddIndex(
            "refund", models.Index(fields=["merchant_id", "id"], name="refund_of_merchant")
        ),
        migrations.AddIndex(
            "refund",
            models.Index(
                condition=models.Q(("state__in", ["OPENED", "SENT", "FAILED"])),
                fields=["state", "id"],
                name="refund_open",
            ),
        ),
        migrations.CreateModel(
            name="BlockedRequester",
            fields=[
                ("id", models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("customer_id", models.UUIDField()),
                ("address", models.CharField(max_length=255)),
                ("blocked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("customer_id", "address"), name="requester_is_blocked_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FlowRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("flow", models.CharField(max_length=20)),
                ("is_allowed", models.BooleanField()),
                ("valid_from_date", models.DateField()),
                ("valid_to_date", models.DateField(blank=True, null=True)),
                ("source", models.CharField(max_length=200)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(flow__in=["COLLECT_PERSON", "COLLECT_MERCHANT"]),
                        name="flow_rule_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(valid_to_date__isnull=True)
                        | models.Q(valid_to_date__gt=models.F("valid_from_date")),
                        name="flow_rule_ends_after_it_begins",
                    ),
                    *[
                        django.contrib.postgres.constraints.ExclusionConstraint(
                            condition=models.Q(("flow", flow)),
                            expressions=[
                                (
                                    apps.risk.models.DateRange(
                                        "valid_from_date", "valid_to_date"
                                    ),
                                    "&&",
                                )
                            ],
                            name=f"flow_rule_{flow.lower()}_does_not_overlap",
                        )
                        for flow in ("COLLECT_PERSON", "COLLECT_MERCHANT")
                    ],
                ],
            },
        ),
        migrations.RunPython(add_rules, migrations.RunPython.noop),
    ]
