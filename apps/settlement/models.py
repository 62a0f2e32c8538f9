"""The switch's files that were taken."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


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
