"""The page of a linked account."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.common.masking import mask_account
from apps.customers.models import LinkedAccount


@admin.register(LinkedAccount)
class LinkedAccountAdmin(ReadOnlyAdmin):
    """Which customer pays from which account."""

    list_display: ClassVar = ["__str__", "customer", "masked_number", "ifsc", "is_default"]
    list_select_related: ClassVar = ["customer"]
    fields: ClassVar = [
        "customer",
        "masked_number",
        "ifsc",
        "account_type",
        "holder_name",
        "is_default",
        "linked_at",
    ]
    readonly_fields: ClassVar = ["masked_number"]

    @admin.display(description="account")
    def masked_number(self, account: LinkedAccount) -> str:
        """Show the last four digits."""
        return mask_account(account.account_number)
