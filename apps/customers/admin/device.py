"""The page of a device."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.customers.models import Device


@admin.register(Device)
class DeviceAdmin(ReadOnlyAdmin):
    """Phones, bound and revoked."""

    list_display: ClassVar = ["__str__", "customer", "os", "app", "state", "bound_at"]
    list_filter: ClassVar = ["state"]
    list_select_related: ClassVar = ["customer"]
