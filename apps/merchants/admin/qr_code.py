"""The pages of a merchant's QR codes: one to look at, one to print."""

import datetime as dt
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from apps.common import clock
from apps.common.admin import ReadOnlyAdmin
from apps.common.clock import IST
from apps.common.money import Money
from apps.merchants import qr_image
from apps.merchants.contracts import QrStatus
from apps.merchants.models import QrCode

_NOTHING = "–"


@admin.register(QrCode)
class QrCodeAdmin(ReadOnlyAdmin):
    """What merchants let people scan."""

    list_display: ClassVar = [
        "__str__",
        "merchant_name",
        "kind",
        "format",
        "store_code",
        "created_at",
        "expires_at",
        "revoked_at",
    ]
    list_filter: ClassVar = ["kind", "format", ("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related: ClassVar = ["merchant"]
    search_fields: ClassVar = ["merchant__name", "=order__reference"]
    search_help_text = "merchant, or an order's reference"

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Let a merchant's page lead to the merchant's codes."""
        allowed: bool = super().lookup_allowed(lookup, value, request)
        return lookup == "merchant__id__exact" or allowed

    @admin.display(description="merchant", ordering="merchant__name")
    def merchant_name(self, code: QrCode) -> str:
        """Show whose code it is."""
        return code.merchant.name

    def get_urls(self) -> list[URLPattern]:
        """Add the page to print."""
        printed = path(
            "<uuid:object_id>/print/",
            self.admin_site.admin_view(self.print_view),
            name="merchants_qrcode_print",
        )
        return [printed, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the code and what it says in place of a form."""
        del form_url
        code = self._code(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "opts": self.opts,
            "title": f"QR code of {code.merchant.name}",
            "code": code,
            "image": qr_image.data_uri(code.payload),
            "facts": _facts(code),
            "print_url": ""
            if code.revoked_at
            else reverse("admin:merchants_qrcode_print", args=[code.pk]),
        }
        return TemplateResponse(request, "merchants/qr_code.html", context)

    def print_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the code as it is put on a counter."""
        code = self._code(request, object_id)
        if code.revoked_at is not None:
            raise Http404
        amount = Money(code.order.amount_paise).display() if code.order else ""
        context = {
            "code": code,
            "image": qr_image.data_uri(code.payload),
            "amount": amount,
            "address": code.merchant.vpa.address,
        }
        return TemplateResponse(request, "merchants/qr_code_print.html", context)

    def _code(self, request: HttpRequest, object_id: str) -> QrCode:
        if request.method == "POST" or not self.has_view_permission(request):
            raise PermissionDenied
        code: QrCode | None = self.get_object(request, str(object_id))
        if code is None:
            raise Http404
        return code


def _facts(code: QrCode) -> list[tuple[str, str]]:
    order, ends_at = code.order, code.expires_at
    ends = _shown(ends_at) if ends_at else "never"
    status = code.status(at=clock.now())
    return [
        ("Merchant", code.merchant.name),
        ("Payment address", code.merchant.vpa.address),
        ("Kind", f"{code.get_kind_display()}, {code.get_format_display()}"),
        (
            "Signed",
            "by this bank" if code.format == QrCode.Format.UPI else "no: an EMV code cannot",
        ),
        ("Order", order.reference if order else _NOTHING),
        ("Amount", Money(order.amount_paise).display() if order else "the payer enters it"),
        ("Store, terminal", f"{code.store_code or _NOTHING}, {code.terminal_code or _NOTHING}"),
        ("Ends (IST)", f"{ends}, has ended" if status is QrStatus.EXPIRED else ends),
        ("Called back (IST)", _shown(code.revoked_at) if code.revoked_at else "no"),
    ]


def _shown(at: dt.datetime) -> str:
    return f"{at.astimezone(IST):%d %b %Y, %H:%M:%S}"
