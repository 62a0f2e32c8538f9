"""The page of an account request."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.customers.models import AccountRequest


@admin.register(AccountRequest)
class AccountRequestAdmin(ReadOnlyAdmin):
    """What customers asked their banks, and what became of it."""

    list_display: ClassVar = [
        "__str__",
        "kind",
        "transaction_id",
        "state",
        "result_code",
        "created_at",
    ]
    list_filter: ClassVar = ["kind", "state"]
    search_fields: ClassVar = ["=transaction_id"]
    exclude: ClassVar = ["card_digits", "card_expiry"]
