"""The page of the timers."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from apps.common.admin import ReadOnlyAdmin
from apps.upi.models import TimerRule


@admin.register(TimerRule)
class TimerRuleAdmin(ReadOnlyAdmin):
    """How long we wait for others, and since when."""

    list_display: ClassVar = [
        "timer",
        "length",
        "valid_from_date",
        "valid_to_date",
        "source",
    ]
    list_filter: ClassVar = ["timer"]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the rules in the order of their timers."""
        return super().get_queryset(request).order_by("timer", "-valid_from_date")

    @admin.display(description="seconds", ordering="seconds")
    def length(self, rule: TimerRule) -> str:
        """Show the seconds without needless zeros."""
        return f"{float(rule.seconds):g} s"
