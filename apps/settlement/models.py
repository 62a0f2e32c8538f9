"""The files of the switch and of the core-banking host that were taken."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.settlement.contracts import LineKind


class DayFile(models.Model):
    """
    A day's file that was applied, whole.

    `is_complete` says that the day was over when the switch wrote it: only then does it prove
    anything about what it does not name.
    """

    id = models.BigAutoField(primary_key=True)
    settlement_date = models.DateField()
    digest = models.BinaryField(max_length=32)
    rows = models.IntegerField()
    is_complete = models.BooleanField()
    applied_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="day_file_is_applied_once",
                fields=["settlement_date", "digest", "is_complete"],
            )
        ]

    def __str__(self) -> str:
        return f"file of {self.settlement_date}"


class HostFile(models.Model):
    """
    A business day of the core-banking host, whole: what it does not name was not done on it.

    A day has one file for ever. Another one would take back what the first has proved.
    """

    id = models.BigAutoField(primary_key=True)
    business_date = models.DateField(unique=True)
    digest = models.BinaryField(max_length=32)
    rows = models.IntegerField()
    taken_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "settlement_host_file"

    def __str__(self) -> str:
        return f"the host's file of {self.business_date}"


class HostFileLine(models.Model):
    """A line of a host's file, by the trace of the call that it is about."""

    id = models.BigAutoField(primary_key=True)
    file = models.ForeignKey(HostFile, on_delete=models.PROTECT, related_name="lines")
    kind = models.CharField(max_length=6)
    terminal = models.CharField(max_length=8)
    stan = models.IntegerField()
    sent_at = models.DateTimeField()
    rrn = models.CharField(max_length=12)
    processing_code = models.CharField(max_length=6)
    upi_id = models.CharField(max_length=35)
    account = models.CharField(max_length=28)
    amount_paise = models.BigIntegerField()
    sign = models.CharField(max_length=1)
    at = models.DateTimeField()

    class Meta:
        db_table = "settlement_host_file_line"
        indexes: ClassVar = [
            models.Index(name="host_file_line_trace", fields=["sent_at", "stan", "terminal"])
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="host_file_line_kind_is_known",
                condition=Q(kind__in=[kind.value for kind in LineKind]),
            ),
            models.CheckConstraint(
                name="host_file_line_amount_is_positive", condition=Q(amount_paise__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.terminal} {self.stan:06}"
