"""The page of a merchant."""

from typing import ClassVar

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from apps.common.admin import ReadOnlyAdmin
from apps.merchants.models import Merchant


@admin.register(Merchant)
class MerchantAdmin(ReadOnlyAdmin):
    """Businesses that are paid by UPI."""

    list_display: ClassVar = ["__str__", "name", "address", "mcc", "state", "created_at"]
    list_filter: ClassVar = ["state"]
    list_select_related: ClassVar = ["vpa"]
    search_fields: ClassVar = ["name", "=vpa__address"]
    readonly_fields: ClassVar = ["address", "mcc", "codes"]

    @admin.display(description="payment address")
    def address(self, merchant: Merchant) -> str:
        """Show the merchant's payment address."""
        return merchant.vpa.address

    @admin.display(description="MCC")
    def mcc(self, merchant: Merchant) -> str:
        """Show the merchant's category."""
        return merchant.vpa.mcc

    @admin.display(description="QR codes")
    def codes(self, merchant: Merchant) -> str:
        """Lead to the merchant's QR codes."""
        url = reverse("admin:merchants_qrcode_changelist")
        count = merchant.qr_codes.count()
        return format_html(
            '<a href="{}?merchant__id__exact={}">{} made</a>', url, merchant.pk, count
        )
