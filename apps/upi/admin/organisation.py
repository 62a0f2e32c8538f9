"""The page of an organisation."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.upi.models import Organisation


@admin.register(Organisation)
class OrganisationAdmin(ReadOnlyAdmin):
    """Who we exchange messages with, and whether they are there."""

    list_display: ClassVar = [
        "org_id",
        "name",
        "is_up",
        "heartbeats_missed",
        "heartbeat_answered_at",
        "state_changed_at",
    ]
    search_fields: ClassVar = ["=org_id"]
