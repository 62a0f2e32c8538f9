"""Who asks people in vain: what customers report, dated rules, and the blocks that follow."""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.common import ids
from apps.payments.states import SpamCode
from apps.risk.models import DateRange

_CODES = [code.value for code in SpamCode]


class SpamReport(models.Model):
    """That a customer called a collect spam, and whose it was."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    customer_id = models.UUIDField()
    address = models.CharField(max_length=255)
    transaction_id = models.CharField(max_length=35)
    reported_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="collect_is_reported_once", fields=["transaction_id"])
        ]
        indexes: ClassVar = [
            models.Index(name="spam_report_of_address", fields=["address", "reported_at"])
        ]

    def __str__(self) -> str:
        return self.transaction_id


class SpamRule(models.Model):
    """
    When a requester is blocked for all customers, and for how long.

    So many customers who report it within so many hours block it under the code. Rows are added
    and ended, never edited.
    """

    code = models.CharField(max_length=2)
    customers_min = models.PositiveIntegerField()
    within_hours = models.PositiveIntegerField()
    block_hours = models.PositiveIntegerField()
    valid_from_date = models.DateField()
    valid_to_date = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="spam_rule_is_known", condition=Q(code__in=_CODES)),
            models.CheckConstraint(
                name="spam_rule_counts_something",
                condition=Q(customers_min__gt=0, within_hours__gt=0, block_hours__gt=0),
            ),
            models.CheckConstraint(
                name="spam_rule_ends_not_before_it_begins",
                condition=Q(valid_to_date__isnull=True)
                | Q(valid_to_date__gte=F("valid_from_date")),
            ),
            *(
                ExclusionConstraint(
                    name=f"spam_rule_{code.lower()}_does_not_overlap",
                    expressions=[
                        (DateRange("valid_from_date", "valid_to_date"), RangeOperators.OVERLAPS)
                    ],
                    condition=Q(code=code),
                )
                for code in _CODES
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} from {self.valid_from_date}"


class RequesterBlock(models.Model):
    """That nobody of ours is asked by an address, under a rule, until an instant."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    address = models.CharField(max_length=255)
    code = models.CharField(max_length=2)
    blocked_at = models.DateTimeField()
    until_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="requester_block_is_known", condition=Q(code__in=_CODES)),
            models.CheckConstraint(
                name="requester_block_lasts", condition=Q(until_at__gt=F("blocked_at"))
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="requester_block_of_address", fields=["address", "until_at"])
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.address}"
