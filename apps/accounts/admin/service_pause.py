"""Pauses of the bank's service as a page."""

from typing import ClassVar

from django.contrib import admin

from apps.accounts.models import ServicePause
from apps.common.admin import ReadOnlyAdmin


@admin.register(ServicePause)
class ServicePauseAdmin(ReadOnlyAdmin):
    """When the bank works no debits or no credits, and why."""

    list_display: ClassVar = ["side", "kind", "valid_from_at", "valid_until_at", "source"]
    list_filter: ClassVar = ["side", "kind"]
    fields: ClassVar = list_display
    readonly_fields: ClassVar = list_display
