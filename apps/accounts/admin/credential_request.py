"""Requests about credentials as a page."""

from typing import ClassVar

from django.contrib import admin

from apps.accounts.models import CredentialRequest
from apps.common.admin import ReadOnlyAdmin
from apps.common.masking import mask_account, mask_mobile, mask_vpa


@admin.register(CredentialRequest)
class CredentialRequestAdmin(ReadOnlyAdmin):
    """What the switch asked about a customer's PIN or balance, and what it was answered."""

    list_display: ClassVar = [
        "received_at",
        "kind",
        "txn_id",
        "masked_account",
        "state",
        "result_code",
        "answered_at",
    ]
    list_filter: ClassVar = ["kind", "state", "result_code"]
    search_fields: ClassVar = ["=txn_id", "=message_id"]
    date_hierarchy = "received_at"
    fields: ClassVar = [
        "id",
        "kind",
        "txn_id",
        "message_id",
        "masked_payer",
        "masked_account",
        "masked_mobile",
        "received_at",
        "state",
        "result_code",
        "answered_at",
        "attempts",
        "next_action_at",
        "parked_at",
    ]
    readonly_fields: ClassVar = fields

    @admin.display(description="account")
    def masked_account(self, request: CredentialRequest) -> str:
        """Show the last four digits."""
        return mask_account(request.account_number)

    @admin.display(description="mobile")
    def masked_mobile(self, request: CredentialRequest) -> str:
        """Show the last four digits."""
        return mask_mobile(request.mobile)

    @admin.display(description="payer")
    def masked_payer(self, request: CredentialRequest) -> str:
        """Show two letters of the address."""
        return mask_vpa(request.payer_address)
