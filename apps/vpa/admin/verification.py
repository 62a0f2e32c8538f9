"""The page of a verification."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.vpa.models import Verification


@admin.register(Verification)
class VerificationAdmin(ReadOnlyAdmin):
    """Who asked whose an address is, and what its bank answered."""

    list_display: ClassVar = [
        "transaction_id",
        "address",
        "state",
        "result_code",
        "verified_name",
        "created_at",
    ]
    list_filter: ClassVar = ["state"]
    search_fields: ClassVar = ["=transaction_id", "=address"]
    exclude: ClassVar = ["claim"]
