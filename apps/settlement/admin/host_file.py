"""The core-banking host's day files as a page: which business days were taken as proof."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.settlement.models import HostFile


@admin.register(HostFile)
class HostFileAdmin(ReadOnlyAdmin):
    """A day that is not here proves nothing yet; `manage.py reconcile_core_banking` takes it."""

    list_display: ClassVar = ["business_date", "rows", "taken_at"]
    fields: ClassVar = ["business_date", "rows", "digest_in_hex", "taken_at"]
    readonly_fields: ClassVar = fields

    @admin.display(description="SHA-256")
    def digest_in_hex(self, file: HostFile) -> str:
        """Show the digest as tools print it, so that two files can be compared."""
        return bytes(file.digest).hex()
