"""The audit log as a page."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.operators.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what, when, from where."""

    list_display: ClassVar = ["sequence", "at", "actor", "action", "target", "source_address"]
    list_filter: ClassVar = ["action"]
    search_fields: ClassVar = ["actor", "target"]
    date_hierarchy = "at"
