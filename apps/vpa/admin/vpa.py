"""The page of a payment address."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.common.masking import mask_account
from apps.vpa.models import Vpa


@admin.register(Vpa)
class VpaAdmin(ReadOnlyAdmin):
    """Addresses, and what is behind them."""

    list_display: ClassVar = ["address", "kind", "verified_name", "masked_account", "mcc", "state"]
    list_filter: ClassVar = ["kind", "state"]
    search_fields: ClassVar = ["=address", "verified_name"]
    exclude: ClassVar = ["account_number"]
    readonly_fields: ClassVar = ["masked_account"]

    @admin.display(description="account")
    def masked_account(self, vpa: Vpa) -> str:
        """Show the last four digits."""
        return mask_account(vpa.account_number)
