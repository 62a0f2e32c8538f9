"""The page of a merchant."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.merchants.models import Merchant


@admin.register(Merchant)
class MerchantAdmin(ReadOnlyAdmin):
    """Businesses that are paid by UPI."""

    list_display: ClassVar = ["__str__", "name", "address", "mcc", "state", "created_at"]
    list_filter: ClassVar = ["state"]
    list_select_related: ClassVar = ["vpa"]
    search_fields: ClassVar = ["name", "=vpa__address"]
    readonly_fields: ClassVar = ["address", "mcc"]

    @admin.display(description="payment address")
    def address(self, merchant: Merchant) -> str:
        """Show the merchant's payment address."""
        return merchant.vpa.address

    @admin.display(description="MCC")
    def mcc(self, merchant: Merchant) -> str:
        """Show the merchant's category."""
        return merchant.vpa.mcc
