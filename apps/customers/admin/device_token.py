"""The page of a phone's token."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.customers.models import DeviceToken


@admin.register(DeviceToken)
class DeviceTokenAdmin(ReadOnlyAdmin):
    """Which phones registered their common library with the switch, and what it said."""

    list_display: ClassVar = [
        "transaction_id",
        "device",
        "kind",
        "state",
        "result_code",
        "created_at",
    ]
    list_filter: ClassVar = ["state", "kind"]
    search_fields: ClassVar = ["=transaction_id"]
    exclude: ClassVar = ["claim", "check_value"]
