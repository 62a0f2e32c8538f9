"""How often each API may be called, when not, and each use of it that was made."""

from enum import StrEnum
from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from apps.common.masking import mask_text


class GovernedApi(StrEnum):
    """The calls that circulars bound, each by the `Txn/@type` that it has on the wire."""

    BALANCE_ENQUIRY = "BalEnq"
    LIST_ACCOUNT = "ListAccount"
    LIST_KEYS = "ListKeys"
    LIST_PSP_KEYS = "ListPSPKeys"
    LIST_VERIFIED_MERCHANTS = "ListVae"
    MANAGE_VERIFIED_MERCHANTS = "ManageVae"
    LIST_PSPS = "ListPsp"
    LIST_ACCOUNT_PROVIDERS = "ListAccPvd"
    CHECK_TRANSACTION = "ChkTxn"
    VALIDATE_ADDRESS = "ValAdd"


class CallDirection(StrEnum):
    """Who calls: we the switch, or somebody us through the switch."""

    OUT = "OUT"
    IN = "IN"


class SubjectKind(StrEnum):
    """Whose calls are counted together: one customer's, one PSP's, or one payment's."""

    CUSTOMER = "CUSTOMER"
    PSP = "PSP"
    TRANSACTION = "TRANSACTION"


# What other PSPs may ask us so often only: each answer tells them something of a person.
CAPPED_FOR_OTHERS = (GovernedApi.LIST_ACCOUNT, GovernedApi.VALIDATE_ADDRESS)


class PeakRule(StrEnum):
    """Whether the call may be made in peak hours; only what a customer waits for may."""

    ANY_TIME = "ANY_TIME"
    NOT_IN_PEAK = "NOT_IN_PEAK"


class DateRange(Func):
    """The days from one date up to, and without, another."""

    function = "DATERANGE"
    output_field = DateRangeField()


class ApiCap(models.Model):
    """
    How often an API may be called for one subject within a sliding window, and on which days.

    Calls of ours have one cap an API; calls to us may have one for each kind of subject. It holds
    from `valid_from_date` up to, and without, `valid_to_date`. `cap` null: any number.
    Rows are added, never edited.
    """

    api = models.CharField(max_length=20, choices=[(api.value, api.value) for api in GovernedApi])
    direction = models.CharField(
        max_length=3,
        choices=[(way.value, way.value) for way in CallDirection],
        default=CallDirection.OUT.value,
    )
    subject_kind = models.CharField(
        max_length=11, choices=[(kind.value, kind.value) for kind in SubjectKind]
    )
    cap = models.IntegerField(null=True)
    window_seconds = models.IntegerField()
    peak_rule = models.CharField(
        max_length=11, choices=[(rule.value, rule.value) for rule in PeakRule]
    )
    valid_from_date = models.DateField()
    valid_to_date = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=200)

    class Meta:
        verbose_name = "API cap"
        verbose_name_plural = "API budget"
        db_table = "upi_api_cap"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="api_cap_api_is_known", condition=Q(api__in=[api.value for api in GovernedApi])
            ),
            models.CheckConstraint(
                name="api_cap_direction_is_known",
                condition=Q(direction__in=[way.value for way in CallDirection]),
            ),
            models.CheckConstraint(
                name="api_cap_subject_kind_is_known",
                condition=Q(subject_kind__in=[kind.value for kind in SubjectKind]),
            ),
            models.CheckConstraint(
                name="api_cap_peak_rule_is_known",
                condition=Q(peak_rule__in=[rule.value for rule in PeakRule]),
            ),
            models.CheckConstraint(
                name="api_cap_is_positive",
                condition=(Q(cap__isnull=True) | Q(cap__gt=0)) & Q(window_seconds__gt=0),
            ),
            # One that was replaced before it held ends on the day it begins.
            models.CheckConstraint(
                name="api_cap_ends_not_before_it_begins",
                condition=Q(valid_to_date__isnull=True)
                | Q(valid_to_date__gte=F("valid_from_date")),
            ),
            # One constraint an API, because equality inside a GiST index needs an extension.
            *(
                ExclusionConstraint(
                    name=f"api_cap_{api.value.lower()}_does_not_overlap",
                    expressions=[
                        (DateRange("valid_from_date", "valid_to_date"), RangeOperators.OVERLAPS)
                    ],
                    condition=Q(api=api.value, direction=CallDirection.OUT.value),
                )
                for api in GovernedApi
            ),
            *(
                ExclusionConstraint(
                    name=f"api_cap_in_{api.value}_{kind.value}_does_not_overlap".lower(),
                    expressions=[
                        (DateRange("valid_from_date", "valid_to_date"), RangeOperators.OVERLAPS)
                    ],
                    condition=Q(
                        api=api.value, direction=CallDirection.IN.value, subject_kind=kind.value
                    ),
                )
                for api in CAPPED_FOR_OTHERS
                for kind in (SubjectKind.CUSTOMER, SubjectKind.PSP)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.api} from {self.valid_from_date}"


class PeakHours(models.Model):
    """Hours of the Indian day in which calls that no customer waits for are forbidden."""

    begins_at = models.TimeField()
    ends_at = models.TimeField()
    valid_from_date = models.DateField()
    valid_to_date = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=200)

    class Meta:
        verbose_name = "peak hours"
        verbose_name_plural = "peak hours"
        db_table = "upi_peak_hours"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="peak_hours_end_after_they_begin", condition=Q(ends_at__gt=F("begins_at"))
            ),
            models.CheckConstraint(
                name="peak_hours_rule_ends_after_it_begins",
                condition=Q(valid_to_date__isnull=True) | Q(valid_to_date__gt=F("valid_from_date")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.begins_at:%H:%M} to {self.ends_at:%H:%M}"


class ApiUse(models.Model):
    """
    One call, counted against a cap until its window has passed.

    A call of ours goes by its exchange; a call to us has a row of its own for each cap it meets.
    """

    exchange_id = models.UUIDField(primary_key=True)
    api = models.CharField(max_length=20)
    direction = models.CharField(max_length=3)
    subject_kind = models.CharField(max_length=11)
    subject = models.CharField(max_length=255)
    used_at = models.DateTimeField()

    class Meta:
        verbose_name = "API use"
        db_table = "upi_api_use"
        indexes: ClassVar = [
            models.Index(
                name="api_use_of_subject", fields=["direction", "api", "subject", "used_at"]
            ),
            models.Index(name="api_use_age", fields=["used_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.api} {mask_text(self.subject)}"
