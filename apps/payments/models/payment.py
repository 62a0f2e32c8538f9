"""Transactions, their legs, and what became of them."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.common import ids
from apps.common.money import Money


class Transaction(models.Model):
    """
    What every job of one UPI transaction agrees on, written once and then only compared.

    The first message that tells of the transaction writes it, a reversal that overtakes its
    original included.
    """

    id = models.CharField(primary_key=True, max_length=35)
    rrn = models.CharField(max_length=12)
    amount_paise = models.BigIntegerField()
    payer_address = models.CharField(max_length=255)
    payer_name = models.CharField(max_length=99)
    payer_type = models.CharField(max_length=6)
    payer_code = models.CharField(max_length=4)
    payee_address = models.CharField(max_length=255)
    payee_name = models.CharField(max_length=99)
    payee_type = models.CharField(max_length=6)
    payee_code = models.CharField(max_length=4)
    note = models.CharField(max_length=50)
    purpose = models.CharField(max_length=2)
    initiation_mode = models.CharField(max_length=2)
    reference = models.CharField(max_length=35)
    reference_url = models.CharField(max_length=35)
    reference_category = models.CharField(max_length=2)
    initiated_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="transaction_amount_is_positive", condition=Q(amount_paise__gt=0)
            ),
            models.CheckConstraint(
                name="transaction_rrn_has_12_digits", condition=Q(rrn__regex=r"^[0-9]{12}$")
            ),
        ]

    def __str__(self) -> str:
        return self.pk

    @property
    def amount(self) -> Money:
        """The amount that every job agrees on."""
        return Money(self.amount_paise)


class Leg(models.Model):
    """
    One job of this bank in a transaction.

    `services.legs` alone writes `state`, and a trigger refuses every move that `states.MOVES` does
    not name. `transaction_id` names the original transaction; a reversal travels under an id of
    its own, which is `wire_transaction_id`.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    role = models.CharField(max_length=9)
    kind = models.CharField(max_length=8)
    transaction = models.ForeignKey(
        Transaction, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="legs"
    )
    state = models.CharField(max_length=19)
    code = models.CharField(max_length=20, db_default="")
    claim = models.UUIDField(null=True)
    next_action_at = models.DateTimeField(null=True)
    attempts = models.SmallIntegerField(db_default=0)
    parked_at = models.DateTimeField(null=True)

    # The request that this leg answers, or for PAYER_PSP the ReqPay that it sends.
    exchange_id = models.UUIDField(null=True)
    request_message_id = models.CharField(max_length=35, db_default="")
    wire_transaction_id = models.CharField(max_length=35)
    wire_transaction_at = models.DateTimeField()
    wire_sub_type = models.CharField(max_length=20, db_default="")
    received_at = models.DateTimeField(db_default=Now())
    # A debit or credit that is not POSTING by then is declined.
    post_before_at = models.DateTimeField(null=True)

    # The account of ours that the leg is about, and the customer or merchant whose it is.
    account_number = models.CharField(max_length=30, db_default="")
    account_type = models.CharField(max_length=12, db_default="")
    ifsc = models.CharField(max_length=11, db_default="")
    device_mobile = models.CharField(max_length=12, db_default="")
    device = models.JSONField(null=True)
    # What the switch thinks of the payment: [source, type, value] of each score.
    risk_scores = models.JSONField(null=True)
    owner_id = models.UUIDField(null=True)
    is_on_us = models.BooleanField(db_default=False)
    # Until then the payer of a collect may answer.
    expires_at = models.DateTimeField(null=True)

    transfer_id = models.UUIDField(null=True)
    checks = models.SmallIntegerField(db_default=0)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [
            models.Index(
                name="leg_due",
                fields=["role", "next_action_at"],
                condition=Q(next_action_at__isnull=False),
            ),
            models.Index(
                name="leg_owner", fields=["owner_id", "id"], condition=Q(owner_id__isnull=False)
            ),
            models.Index(
                name="leg_open",
                fields=["role", "id"],
                condition=Q(state__in=["UNKNOWN", "CANCELLING"]) | Q(parked_at__isnull=False),
            ),
            models.Index(name="leg_reversal", fields=["id"], condition=Q(role="REVERSAL")),
            # What was declined on a day: of a busy day only a few legs in a hundred.
            models.Index(
                name="leg_ended",
                fields=["changed_at"],
                condition=Q(state__in=["DECLINED", "REFUSED", "FAILED"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.transaction_id}"


class LegKey(models.Model):
    """
    That a job exists once: by role, kind and original transaction.

    `rrn_key` is the initiating participant's three letters and its RRN: another transaction with
    it is a duplicate (DT, DF). RRNs of two participants may well be equal.
    """

    leg_id = models.UUIDField(primary_key=True)
    role = models.CharField(max_length=9)
    kind = models.CharField(max_length=8)
    transaction_id = models.CharField(max_length=35)
    rrn_key = models.CharField(max_length=15, null=True)  # noqa: DJ001 - NULL is not unique

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="leg_key_is_unique", fields=["transaction_id", "role", "kind"]
            ),
            models.UniqueConstraint(name="rrn_is_unique", fields=["rrn_key", "role"]),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.kind} {self.transaction_id}"


class LegHistory(models.Model):
    """One move of a leg. Append-only; the state that a leg is made with is the first `source`."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    leg_id = models.UUIDField()
    source = models.CharField(max_length=19)
    target = models.CharField(max_length=19)
    code = models.CharField(max_length=20)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(name="leg_history_of_leg", fields=["leg_id"])]

    def __str__(self) -> str:
        return f"{self.source} → {self.target}"


class LegRequest(models.Model):
    """
    A further request about a leg that exists: it is answered with the leg's outcome.

    A second reversal message of the same original is one, and so is the message that comes after
    a settlement file has opened its leg.
    """

    exchange_id = models.UUIDField(primary_key=True)
    leg_id = models.UUIDField(db_index=True)
    request_message_id = models.CharField(max_length=35)
    wire_transaction_id = models.CharField(max_length=35)
    wire_transaction_at = models.DateTimeField()
    wire_sub_type = models.CharField(max_length=20)
    received_at = models.DateTimeField(db_default=Now())
    answered_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.request_message_id}"


class StatusCheck(models.Model):
    """A ReqChkTxn of ours: at most three of one leg, each by its number."""

    exchange_id = models.UUIDField(primary_key=True)
    leg_id = models.UUIDField()
    number = models.SmallIntegerField()
    asked_at = models.DateTimeField(db_default=Now())
    answered_at = models.DateTimeField(null=True)
    answer_code = models.CharField(max_length=20, db_default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="status_check_number", fields=["leg_id", "number"]),
            models.CheckConstraint(
                name="status_checks_are_at_most_three", condition=Q(number__gte=1, number__lte=3)
            ),
        ]

    def __str__(self) -> str:
        return f"check {self.number} of {self.leg_id}"


class Contradiction(models.Model):
    """
    Somebody told a second, other end of a leg that had ended: the first stands, a person looks.

    `told` is the state that the later word would have meant, `source` where it came from.
    """

    id = models.BigAutoField(primary_key=True)
    leg_id = models.UUIDField()
    transaction_id = models.CharField(max_length=35)
    role = models.CharField(max_length=9)
    state = models.CharField(max_length=19)
    told = models.CharField(max_length=19)
    code = models.CharField(max_length=20)
    source = models.CharField(max_length=20)
    told_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="contradiction_is_listed_once", fields=["leg_id", "told", "source"]
            ),
            models.CheckConstraint(name="contradiction_contradicts", condition=~Q(state=F("told"))),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.transaction_id}: {self.state}, told {self.told}"


class FileVerdict(models.Model):
    """What the switch's settlement file of a day says of a transaction, kept as proof."""

    id = models.BigAutoField(primary_key=True)
    settlement_date = models.DateField()
    transaction_id = models.CharField(max_length=35)
    rrn = models.CharField(max_length=12)
    response_code = models.CharField(max_length=20)
    amount_paise = models.BigIntegerField()
    is_beneficiary = models.BooleanField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="file_verdict_is_one_per_day", fields=["transaction_id", "settlement_date"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.settlement_date} {self.transaction_id}: {self.response_code}"
