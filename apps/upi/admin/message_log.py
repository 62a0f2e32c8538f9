"""The page of a logged message."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.common.masking import mask_message
from apps.upi.models import MessageLog


@admin.register(MessageLog)
class MessageLogAdmin(ReadOnlyAdmin):
    """A message as it came or went; accounts, addresses and telephones are masked."""

    list_display: ClassVar = [
        "logged_at",
        "direction",
        "outcome",
        "organisation",
        "api",
        "type",
        "txn_id",
        "ack_code",
    ]
    list_filter: ClassVar = ["direction", "outcome", "api"]
    search_fields: ClassVar = ["=txn_id"]
    fields: ClassVar = [
        "logged_at",
        "direction",
        "outcome",
        "exchange_id",
        "organisation",
        "api",
        "type",
        "txn_id",
        "msg_id",
        "masked_body",
        "body_size",
        "digest",
        "signed_info",
        "signature_value",
        "ack_code",
        "reason",
    ]
    readonly_fields: ClassVar = ["masked_body", "digest"]

    @admin.display(description="body")
    def masked_body(self, entry: MessageLog) -> str:
        """Show the message without what identifies a person."""
        return mask_message(entry.body)

    @admin.display(description="SHA-256 of the body as received")
    def digest(self, entry: MessageLog) -> str:
        """Show the digest in hexadecimal."""
        return bytes(entry.body_digest).hex()
