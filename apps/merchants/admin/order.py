"""The page of an order."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.common.money import Money
from apps.merchants.models import Order


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """What merchants expect to be paid, and what was."""

    list_display: ClassVar = ["__str__", "merchant", "reference", "amount", "state", "created_at"]
    list_filter: ClassVar = ["state", "is_live"]
    list_select_related: ClassVar = ["merchant"]
    search_fields: ClassVar = ["=reference", "=transaction_id", "=rrn"]
    readonly_fields: ClassVar = ["amount"]

    @admin.display(description="amount", ordering="amount_paise")
    def amount(self, order: Order) -> str:
        """Show the amount in rupees."""
        return Money(order.amount_paise).display()
