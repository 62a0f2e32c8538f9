"""What goes back to payers, and the bound that it never passes."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.common import ids
from apps.common.money import Money


class RefundBound(models.Model):
    """
    How much of a payment has gone back, or is on its way: never more than was paid.

    The row is locked by whoever takes of it; an unknown refund keeps its share, a failed one gives
    it back.
    """

    transaction_id = models.CharField(primary_key=True, max_length=35)
    amount_paise = models.BigIntegerField()
    refunded_paise = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="refunds_are_within_the_payment",
                condition=Q(refunded_paise__gte=0, refunded_paise__lte=F("amount_paise")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.refunded_paise} of {self.amount_paise}"


class Refund(models.Model):
    """
    Money that a merchant gives back to the payer of `transaction_id`, in part or whole.

    The merchant requested it, or owes it: paid twice, or after the order had expired. What is owed
    is OPENED until the payment is confirmed; then a PAYER_PSP leg sends it, and `state` repeats
    what that leg came to.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    transaction_id = models.CharField(max_length=35)
    merchant_id = models.UUIDField()
    order_id = models.UUIDField(null=True)
    amount_paise = models.BigIntegerField()
    reason = models.CharField(max_length=10)
    reference = models.CharField(max_length=35, db_default="")
    state = models.CharField(max_length=9, db_default="OPENED")
    code = models.CharField(max_length=20, db_default="")
    leg_id = models.UUIDField(null=True, unique=True)
    refund_transaction_id = models.CharField(max_length=35, null=True, unique=True)  # noqa: DJ001
    opened_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="refund_amount_is_positive", condition=Q(amount_paise__gt=0)
            ),
            models.UniqueConstraint(
                name="refund_owed_is_opened_once",
                fields=["transaction_id"],
                condition=~Q(reason="REQUESTED"),
            ),
            models.CheckConstraint(
                name="refund_is_sent_by_a_leg",
                condition=Q(state="OPENED") | Q(leg_id__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="refund_of_transaction", fields=["transaction_id"]),
            models.Index(name="refund_of_merchant", fields=["merchant_id", "id"]),
            models.Index(
                name="refund_open",
                fields=["state", "id"],
                condition=Q(state__in=["OPENED", "SENT", "FAILED"]),
            ),
        ]

    def __str__(self) -> str:
        return f"refund of {self.transaction_id}"

    @property
    def amount(self) -> Money:
        """What goes back."""
        return Money(self.amount_paise)
