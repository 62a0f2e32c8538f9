"""Answers of the core-banking host that were not applied, as a page."""

from typing import ClassVar

from django.contrib import admin

from apps.accounts.models import UnmatchedAnswer
from apps.common.admin import ReadOnlyAdmin


@admin.register(UnmatchedAnswer)
class UnmatchedAnswerAdmin(ReadOnlyAdmin):
    """What the host said that fits no call of ours, and why it was left alone."""

    list_display: ClassVar = ["received_at", "reason", "mti", "terminal", "stan", "response_code"]
    list_filter: ClassVar = ["reason"]
    search_fields: ClassVar = ["=rrn", "=stan"]
    fields: ClassVar = [
        "received_at",
        "reason",
        "call",
        "mti",
        "terminal",
        "stan",
        "transmitted",
        "rrn",
        "processing_code",
        "amount",
        "response_code",
    ]
    readonly_fields: ClassVar = fields
