"""Limits as dated rows, and what each account used of them on each day."""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from apps.accounts.models import BankAccount
from apps.risk.contracts import Rule


class DateRange(Func):
    """The days from one date up to, and without, another."""

    function = "DATERANGE"
    output_field = DateRangeField()


class LimitRule(models.Model):
    """
    A limit and the days it holds: from `valid_from_date` up to, and without, `valid_to_date`.

    Rows are added and ended, never edited: yesterday's payments were judged by yesterday's rule.
    `value` is paise, or a number of payments.
    """

    rule = models.CharField(max_length=20, choices=[(rule.value, rule.value) for rule in Rule])
    value = models.BigIntegerField()
    valid_from_date = models.DateField()
    valid_to_date = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=200)

    class Meta:
        db_table = "risk_limit_rule"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="limit_rule_is_known",
                condition=Q(rule__in=[rule.value for rule in Rule]),
            ),
            models.CheckConstraint(name="limit_rule_is_positive", condition=Q(value__gt=0)),
            # One that was replaced before it held ends on the day it begins.
            models.CheckConstraint(
                name="limit_rule_ends_not_before_it_begins",
                condition=Q(valid_to_date__isnull=True)
                | Q(valid_to_date__gte=F("valid_from_date")),
            ),
            # One constraint a rule, because equality inside a GiST index needs an extension.
            *(
                ExclusionConstraint(
                    name=f"limit_rule_{rule.value.lower()}_does_not_overlap",
                    expressions=[
                        (DateRange("valid_from_date", "valid_to_date"), RangeOperators.OVERLAPS)
                    ],
                    condition=Q(rule=rule.value),
                )
                for rule in Rule
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.value} from {self.valid_from_date}"


class RiskScoreRule(models.Model):
    """
    From which score on a debit is declined, by who gives the score and of what kind it is.

    It holds from `valid_from_date` up to, and without, `valid_to_date`; without a rule a score
    declines nothing. Rows are added and ended, never edited.
    """

    provider = models.CharField(max_length=20)
    score_type = models.CharField(max_length=20)
    threshold = models.IntegerField()
    valid_from_date = models.DateField()
    valid_to_date = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=200)

    class Meta:
        db_table = "risk_score_rule"
        constraints: ClassVar = [
            # upi-protocol 4.8, S03: a score has one to five digits.
            models.CheckConstraint(
                name="risk_score_rule_is_a_score",
                condition=Q(threshold__gte=1, threshold__lte=99999),
            ),
            models.CheckConstraint(
                name="risk_score_rule_ends_not_before_it_begins",
                condition=Q(valid_to_date__isnull=True)
                | Q(valid_to_date__gte=F("valid_from_date")),
            ),
            models.UniqueConstraint(
                name="risk_score_rule_is_one_at_last",
                fields=["provider", "score_type"],
                condition=Q(valid_to_date__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.score_type} from {self.threshold}"


class LimitUsage(models.Model):
    """What an account's posted debits of one Indian day come to."""

    account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="+")
    business_date = models.DateField()
    amount_paise = models.BigIntegerField(default=0)
    payments = models.IntegerField(default=0)

    class Meta:
        db_table = "risk_limit_usage"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="limit_usage_is_one_row_a_day", fields=["account", "business_date"]
            ),
            models.CheckConstraint(
                name="limit_usage_is_not_negative",
                condition=Q(amount_paise__gte=0, payments__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"account {self.account_id} on {self.business_date}"


class FirstUse(models.Model):
    """
    Since when an account pays from its device, and how much it paid in the first 24 hours.

    `began_at` is None until something was paid. An account that paid before its devices were known
    has no device: the next one is taken for the one it always had.
    """

    account = models.OneToOneField(
        BankAccount, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    device = models.CharField(max_length=64, blank=True)
    began_at = models.DateTimeField(null=True)
    amount_paise = models.BigIntegerField(default=0)

    class Meta:
        db_table = "risk_first_use"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="first_use_is_not_negative", condition=Q(amount_paise__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return f"account {self.account_id} since {self.began_at}"
