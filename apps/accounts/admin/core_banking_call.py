"""Calls to the core-banking host as a page: what was asked, and what came of it."""

from typing import ClassVar

from django.contrib import admin

from apps.accounts.models import CoreBankingCall
from apps.common.admin import ReadOnlyAdmin


@admin.register(CoreBankingCall)
class CoreBankingCallAdmin(ReadOnlyAdmin):
    """Every call by its trace number, as the host's own records name it."""

    list_display: ClassVar = [
        "transmitted_at",
        "kind",
        "terminal",
        "stan",
        "rrn",
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
        "stan",
        "transmitted_at",
        "rrn",
        "amount_paise",
        "state",
        "repeats",
        "response_code",
        "original_code",
        "approval",
        "settlement_date",
        "answered_at",
    ]
    readonly_fields: ClassVar = fields
