"""The page of an API key."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.merchants.models import ApiKey


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Which keys exist and what they open; the keys themselves nobody sees."""

    list_display: ClassVar = ["__str__", "merchant", "name", "is_live", "scopes", "state"]
    list_filter: ClassVar = ["state", "is_live"]
    list_select_related: ClassVar = ["merchant"]
    exclude: ClassVar = ["secret_code"]
