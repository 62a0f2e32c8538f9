"""Calls to the core-banking host as a page: what was asked, and what came of it."""

from typing import ClassVar

from django.contrib import admin

from apps.accounts.models import CoreBankingCall
from apps.common.admin import ReadOnlyAdmin
from apps.common.money import Money


@admin.register(CoreBankingCall)
class CoreBankingCallAdmin(ReadOnlyAdmin):
    """Every call by its trace number, as the host's own records name it."""

    list_display: ClassVar = [
        "transmitted_at",
        "kind",
        "terminal",
        "trace",
        "reference",
        "amount",
        "state",
        "response_code",
        "repeats",
    ]
    list_filter: ClassVar = ["state", "kind"]
    search_fields: ClassVar = ["=rrn", "=leg_id"]
    fields: ClassVar = [
        "leg_id",
        "original",
        "kind",
        "terminal",
        "trace",
        "transmitted_at",
        "reference",
        "amount",
        "state",
        "repeats",
        "response_code",
        "original_code",
        "approval",
        "settlement_date",
        "answered_at",
    ]
    readonly_fields: ClassVar = fields

    @admin.display(description="STAN", ordering="stan")
    def trace(self, call: CoreBankingCall) -> str:
        """Show it with the six digits that it has on the wire."""
        return f"{call.stan:06}"

    @admin.display(description="RRN", ordering="rrn")
    def reference(self, call: CoreBankingCall) -> str:
        """Show the retrieval reference number."""
        return call.rrn

    @admin.display(description="amount", ordering="amount_paise")
    def amount(self, call: CoreBankingCall) -> str:
        """Show what was to move; a question moves nothing."""
        return Money(call.amount_paise).display()
