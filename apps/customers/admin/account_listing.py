"""The page of an account listing."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.customers.models import AccountListing


@admin.register(AccountListing)
class AccountListingAdmin(ReadOnlyAdmin):
    """Which bank was asked for whose accounts; what it found is not shown."""

    list_display: ClassVar = [
        "transaction_id",
        "customer",
        "ifsc",
        "state",
        "result_code",
        "created_at",
    ]
    list_select_related: ClassVar = ["customer"]
    list_filter: ClassVar = ["state"]
    search_fields: ClassVar = ["=transaction_id"]
    exclude: ClassVar = ["claim"]
