"""The page of the API budget."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from apps.common import clock
from apps.common.admin import ReadOnlyAdmin
from apps.upi.budget_report import line
from apps.upi.models import ApiCap, PeakHours


@admin.register(ApiCap)
class ApiCapAdmin(ReadOnlyAdmin):
    """How often we may call each API of the switch, and others ours; and how often they did."""

    list_display: ClassVar = [
        "api",
        "direction",
        "subject_kind",
        "cap",
        "window",
        "peak_rule",
        "used_today",
        "used_in_window",
        "used_most",
        "subjects_spent",
        "valid_from_date",
        "valid_to_date",
    ]
    list_filter: ClassVar = ["api", "direction"]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the rules in the order of their APIs."""
        return (
            super()
            .get_queryset(request)
            .order_by("-direction", "api", "subject_kind", "-valid_from_date")
        )

    @admin.display(description="window")
    def window(self, cap: ApiCap) -> str:
        """Show the window in hours."""
        return f"{cap.window_seconds / 3600:g} h"

    @admin.display(description="used today")
    def used_today(self, cap: ApiCap) -> int:
        """Count the uses of the Indian day."""
        return line(cap, at=clock.now()).used_today

    @admin.display(description="used in the window")
    def used_in_window(self, cap: ApiCap) -> int:
        """Count the uses of all subjects."""
        return line(cap, at=clock.now()).used_in_window

    @admin.display(description="busiest subject")
    def used_most(self, cap: ApiCap) -> int:
        """Count the uses of the subject that has most."""
        return line(cap, at=clock.now()).used_most

    @admin.display(description="subjects at the cap")
    def subjects_spent(self, cap: ApiCap) -> int:
        """Count the subjects that have nothing left."""
        return line(cap, at=clock.now()).subjects_spent


@admin.register(PeakHours)
class PeakHoursAdmin(ReadOnlyAdmin):
    """When calls that no customer waits for are not made."""

    list_display: ClassVar = [
        "begins_at",
        "ends_at",
        "valid_from_date",
        "valid_to_date",
        "source",
    ]
