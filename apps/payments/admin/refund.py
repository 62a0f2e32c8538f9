"""The pages of refunds: those of a payment, and those that are open."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.payments.models import Refund


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    """
    What goes back to payers: requested by merchants, or owed by them.

    A search by the payment's Txn id shows the refunds of a payment; the filter by state the open
    ones (OPENED is owed, SENT is on its way).
    """

    list_display: ClassVar = [
        "transaction_id",
        "owed",
        "reason",
        "state",
        "code",
        "refund_transaction_id",
        "opened_at",
        "ended_at",
    ]
    list_filter: ClassVar = ["state", "reason"]
    search_fields: ClassVar = ["=transaction_id", "=refund_transaction_id", "=reference"]
    search_help_text = "Txn id of the payment or of the refund, or the reference, exactly"
    fields: ClassVar = [
        "transaction_id",
        "refund_transaction_id",
        "order_id",
        "owed",
        "reason",
        "reference",
        "state",
        "code",
        "opened_at",
        "ended_at",
    ]
    readonly_fields: ClassVar = fields

    @admin.display(description="amount")
    def owed(self, refund: Refund) -> str:
        """Show the amount."""
        return refund.amount.display()
