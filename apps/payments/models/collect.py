"""Who may ask whom for money: dated rules, and the requesters that customers blocked."""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.common import ids
from apps.payments.states import Flow
from apps.risk.models import DateRange


class BlockedRequester(models.Model):
    """An address whose collects a customer wants to see no more."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    customer_id = models.UUIDField()
    address = models.CharField(max_length=255)
    blocked_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="requester_is_blocked_once", fields=["customer_id", "address"]
            )
        ]

    def __str__(self) -> str:
        return self.address


class FlowRule(models.Model):
    """
    Whether a kind of transaction is allowed, from one Indian day up to, and without, another.

    Rows are added and ended, never edited: what happened yesterday was judged by yesterday's rule.
    """

    flow = models.CharField(max_length=20)
    is_allowed = models.BooleanField()
    valid_from_date = models.DateField()
    valid_to_date = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="flow_rule_is_known",
                condition=Q(flow__in=[flow.value for flow in Flow]),
            ),
            # One that was replaced before it held ends on the day it begins.
            models.CheckConstraint(
                name="flow_rule_ends_not_before_it_begins",
                condition=Q(valid_to_date__isnull=True)
                | Q(valid_to_date__gte=F("valid_from_date")),
            ),
            # One constraint a flow, because equality inside a GiST index needs an extension.
            *(
                ExclusionConstraint(
                    name=f"flow_rule_{flow.value.lower()}_does_not_overlap",
                    expressions=[
                        (DateRange("valid_from_date", "valid_to_date"), RangeOperators.OVERLAPS)
                    ],
                    condition=Q(flow=flow.value),
                )
                for flow in Flow
            ),
        ]

    def __str__(self) -> str:
        return f"{self.flow} {self.is_allowed} from {self.valid_from_date}"
