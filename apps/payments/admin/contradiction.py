"""The page of payments about which two words were said."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.payments.models import Contradiction


@admin.register(Contradiction)
class ContradictionAdmin(ReadOnlyAdmin):
    """Somebody told another end of a leg that had ended; the first stands, a person looks."""

    list_display: ClassVar = ["transaction_id", "role", "state", "told", "source", "told_at"]
    list_filter: ClassVar = ["role", "source"]
    search_fields: ClassVar = ["=transaction_id"]
