"""The beginnings of accounts as a page."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from apps.common.admin import ReadOnlyAdmin
from apps.common.money import Money
from apps.risk.models import FirstUse


@admin.register(FirstUse)
class FirstUseAdmin(ReadOnlyAdmin):
    """Since when accounts pay from their phone, and how much in the first 24 hours."""

    list_display: ClassVar = ["account", "began_at", "amount"]
    search_fields: ClassVar = ["=account__number"]
    fields: ClassVar = list_display
    readonly_fields: ClassVar = list_display

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the rows with their accounts, in one query."""
        return super().get_queryset(request).select_related("account")

    @admin.display(description="first 24 hours")
    def amount(self, use: FirstUse) -> str:
        """Show what was paid in the first 24 hours."""
        return Money(use.amount_paise).display()
