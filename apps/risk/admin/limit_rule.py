"""Limit rules as a page."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.common.money import Money
from apps.risk.contracts import Rule
from apps.risk.models import LimitRule


@admin.register(LimitRule)
class LimitRuleAdmin(ReadOnlyAdmin):
    """Which limit holds on which days, and by whose word."""

    list_display: ClassVar = [
        "rule",
        "value_display",
        "valid_from_date",
        "valid_to_date",
        "source",
    ]
    list_filter: ClassVar = ["rule"]
    fields: ClassVar = list_display
    readonly_fields: ClassVar = list_display

    @admin.display(description="limit")
    def value_display(self, rule: LimitRule) -> str:
        """Show rupees, or a number of payments."""
        if rule.rule == Rule.DAY_COUNT:
            return f"{rule.value} payments"
        return Money(rule.value).display()
