"""The public facts and whether Kafka has them."""

from typing import ClassVar

from django.contrib import admin
from unfold.decorators import display

from apps.common.admin import ReadOnlyAdmin
from apps.messaging.models import OutboxEvent


@admin.register(OutboxEvent)
class OutboxEventAdmin(ReadOnlyAdmin):
    """Events, newest first."""

    list_display: ClassVar = ["created_at", "type", "subject", "state", "published_at"]
    search_fields: ClassVar = ["=subject", "=type"]
    list_filter: ClassVar = [("published_at", admin.EmptyFieldListFilter)]

    @display(  # type: ignore[untyped-decorator]
        description="State", label={"published": "success", "waiting": "info", "parked": "danger"}
    )
    def state(self, event: OutboxEvent) -> str:
        """Say where the event is."""
        if event.parked_at is not None:
            return "parked"
        return "waiting" if event.published_at is None else "published"
