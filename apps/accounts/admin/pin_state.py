"""PIN rows as a page: tries and locks, never a verifier."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from apps.accounts.models import PinState
from apps.common.admin import ReadOnlyAdmin


@admin.register(PinState)
class PinStateAdmin(ReadOnlyAdmin):
    """How many tries an account has left, and whether it is locked."""

    list_display: ClassVar = ["account", "is_set", "tries_left", "locked_at", "state"]
    list_filter: ClassVar = ["state", "tries_left"]
    search_fields: ClassVar = ["=account__number"]
    fields: ClassVar = [
        "account",
        "is_set",
        "verifier_key",
        "tries_left",
        "locked_at",
        "otps_asked",
        "otps_asked_from_at",
        "state",
        "holder",
        "claims",
        "next_action_at",
        "parked_at",
    ]
    readonly_fields: ClassVar = fields

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the rows with their accounts, in one query."""
        return super().get_queryset(request).select_related("account")

    @admin.display(description="PIN set", boolean=True)
    def is_set(self, row: PinState) -> bool:
        """Tell whether a PIN was ever set."""
        return row.verifier is not None
