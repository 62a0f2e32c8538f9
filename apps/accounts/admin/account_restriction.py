"""Restrictions of accounts as a page."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from apps.accounts.models import AccountRestriction
from apps.common.admin import ReadOnlyAdmin


@admin.register(AccountRestriction)
class AccountRestrictionAdmin(ReadOnlyAdmin):
    """What may not be done with which account, from when until when, and by whose word."""

    list_display: ClassVar = ["account", "kind", "valid_from_at", "valid_until_at", "source"]
    list_filter: ClassVar = ["kind"]
    search_fields: ClassVar = ["=account__number"]
    fields: ClassVar = list_display
    readonly_fields: ClassVar = list_display

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the rows with their accounts, in one query."""
        return super().get_queryset(request).select_related("account")
