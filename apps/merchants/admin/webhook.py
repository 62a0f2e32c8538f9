"""The pages of webhooks."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.merchants.models import WebhookDelivery, WebhookEndpoint


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    """Where merchants are told."""

    list_display: ClassVar = ["__str__", "merchant", "url", "state", "failing_since_at"]
    list_filter: ClassVar = ["state", "is_live"]
    list_select_related: ClassVar = ["merchant"]


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    """What they were told, and whether they took it."""

    list_display: ClassVar = [
        "__str__",
        "endpoint",
        "event_type",
        "state",
        "attempts",
        "next_action_at",
    ]
    list_filter: ClassVar = ["state", "event_type"]
    list_select_related: ClassVar = ["endpoint"]
    exclude: ClassVar = ["body"]
