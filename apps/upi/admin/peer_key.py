"""The page of a public key."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.upi.models import PeerKey


@admin.register(PeerKey)
class PeerKeyAdmin(ReadOnlyAdmin):
    """Which keys participants use, from when until when."""

    list_display: ClassVar = [
        "organisation",
        "purpose",
        "fingerprint",
        "valid_from_at",
        "valid_until_at",
        "revoked_at",
    ]
    list_filter: ClassVar = ["purpose"]
    search_fields: ClassVar = ["=fingerprint", "=organisation__org_id"]
