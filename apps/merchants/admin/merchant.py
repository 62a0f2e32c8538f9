"""The page of a merchant, and those that suspend one and end that."""

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import action

from apps.common.admin import ReadOnlyAdmin
from apps.merchants.models import Merchant
from apps.merchants.services import suspend
from apps.operators.change_pages import may, serve
from apps.operators.contracts import Author
from apps.operators.turn_pages import TurnPage

_PERMISSIONS = ["turn"]


class _MerchantPage(TurnPage):
    """What suspending and resuming share."""

    def state(self, row: Merchant) -> str:
        """Say whether it takes payments."""
        return str(row.state)

    def name(self, row: Merchant) -> str:
        """Name the merchant."""
        return f"{row.name} ({row})"


class SuspendMerchant(_MerchantPage):
    """Nobody pays the merchant."""

    title = "Suspend the merchant"
    submit = "Suspend it"
    source, target = Merchant.State.ACTIVE.value, Merchant.State.SUSPENDED.value
    effect = "Payers are refused with ZB, and money that comes all the same is declined with YH."

    def turn(self, row: Merchant, *, author: Author) -> None:
        """Suspend it."""
        suspend.suspend_merchant(row.pk, author=author)


class ResumeMerchant(_MerchantPage):
    """The merchant is paid again."""

    title = "End the suspension"
    submit = "End it"
    source, target = Merchant.State.SUSPENDED.value, Merchant.State.ACTIVE.value
    effect = "The merchant can be paid again."

    def turn(self, row: Merchant, *, author: Author) -> None:
        """End it."""
        suspend.resume_merchant(row.pk, author=author)


@admin.register(Merchant)
class MerchantAdmin(ReadOnlyAdmin):
    """Businesses that are paid by UPI."""

    list_display: ClassVar = ["__str__", "name", "address", "mcc", "state", "created_at"]
    list_filter: ClassVar = ["state"]
    list_select_related: ClassVar = ["vpa"]
    search_fields: ClassVar = ["name", "=vpa__address"]
    readonly_fields: ClassVar = ["address", "mcc", "codes"]
    actions_detail: ClassVar = ["suspend", "resume"]
    has_turn_permission = may("merchants.change_merchant")

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

    @action(description="Suspend", url_path="suspend", permissions=_PERMISSIONS)  # type: ignore[untyped-decorator]
    def suspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let nobody pay it."""
        return serve(self, request, SuspendMerchant(), object_id=object_id)

    @action(description="End suspension", url_path="resume", permissions=_PERMISSIONS)  # type: ignore[untyped-decorator]
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let it be paid."""
        return serve(self, request, ResumeMerchant(), object_id=object_id)
