"""What accounts used of their limits, as a page."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from apps.common.admin import ReadOnlyAdmin
from apps.common.money import Money
from apps.risk.models import LimitUsage


@admin.register(LimitUsage)
class LimitUsageAdmin(ReadOnlyAdmin):
    """How much and how often an account paid on a day."""

    list_display: ClassVar = ["account", "business_date", "amount", "payments"]
    search_fields: ClassVar = ["=account__number"]
    date_hierarchy = "business_date"
    fields: ClassVar = list_display
    readonly_fields: ClassVar = list_display

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the rows with their accounts, in one query."""
        return super().get_queryset(request).select_related("account")

    @admin.display(description="amount")
    def amount(self, usage: LimitUsage) -> str:
        """Show the sum of the day."""
        return Money(usage.amount_paise).display()
