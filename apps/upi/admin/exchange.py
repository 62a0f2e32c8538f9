"""The page of an exchange."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.upi.models import Exchange


@admin.register(Exchange)
class ExchangeAdmin(ReadOnlyAdmin):
    """One request and its answer, and how its delivery stands."""

    list_display: ClassVar = [
        "txn_id",
        "direction",
        "api",
        "type",
        "sub_type",
        "opened_at",
        "answered_at",
        "state",
        "delivery_code",
    ]
    list_filter: ClassVar = ["direction", "api", "state"]
    search_fields: ClassVar = ["=txn_id", "=msg_id", "=answer_msg_id"]
    exclude: ClassVar = ["body_digest", "content_digest", "answer_digest", "answer_content_digest"]
