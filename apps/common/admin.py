"""What the back office's pages share."""

from typing import Any

from django.db import models
from django.http import HttpRequest
from unfold.admin import ModelAdmin


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """
    A page that only shows.

    The rules live in services, above the model: a field edited here would pass them by. What may
    be changed is a service behind an approval.
    """

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never: rows are made by services."""
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Never: rows are changed by services."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Never: history stays."""
        del request, obj
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the rows in the order of time, newest first, whatever the model's own order."""
        return super().get_queryset(request).order_by("-pk")
