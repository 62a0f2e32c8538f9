"""The page of a customer."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.common.masking import mask_mobile
from apps.customers.models import Customer


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    """Who uses the app."""

    list_display: ClassVar = ["__str__", "name", "masked_mobile", "state", "created_at"]
    list_filter: ClassVar = ["state"]
    search_fields: ClassVar = ["=mobile", "name"]
    fields: ClassVar = ["name", "masked_mobile", "state", "created_at"]
    readonly_fields: ClassVar = ["masked_mobile"]

    @admin.display(description="mobile")
    def masked_mobile(self, customer: Customer) -> str:
        """Show the last four digits."""
        return mask_mobile(customer.mobile)
