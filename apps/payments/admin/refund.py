"""The page of refunds owed."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.payments.models import Refund


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    """What a merchant got twice for one order and owes."""

    list_display: ClassVar = ["transaction_id", "owed", "reason", "state", "opened_at"]
    list_filter: ClassVar = ["state"]
    search_fields: ClassVar = ["=transaction_id"]
    fields: ClassVar = ["transaction_id", "order_id", "owed", "reason", "state", "opened_at"]
    readonly_fields: ClassVar = fields

    @admin.display(description="owed")
    def owed(self, refund: Refund) -> str:
        """Show the amount."""
        return refund.amount.display()
