"""The pages of spam: the dated rules, and who is blocked under them."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.payments.models import RequesterBlock, SpamRule


@admin.register(SpamRule)
class SpamRuleAdmin(ReadOnlyAdmin):
    """How many customers must report a requester within which time, and what follows."""

    list_display: ClassVar = [
        "code",
        "customers_min",
        "within_hours",
        "block_hours",
        "valid_from_date",
        "valid_to_date",
        "source",
    ]
    list_filter: ClassVar = ["code"]


@admin.register(RequesterBlock)
class RequesterBlockAdmin(ReadOnlyAdmin):
    """Whose collects are refused for all customers, and until when."""

    list_display: ClassVar = ["address", "code", "blocked_at", "until_at"]
    list_filter: ClassVar = ["code"]
    search_fields: ClassVar = ["=address"]
    search_help_text = "the requester's address, exactly"
