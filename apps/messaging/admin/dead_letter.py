"""What is parked, for how long, and who looks after it."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timesince import timesince
from unfold.decorators import display

from apps.common.admin import ReadOnlyAdmin
from apps.messaging.models import DeadLetter


class OpenFilter(admin.SimpleListFilter):
    """Open letters unless others are asked for."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the choices beside "all", which here means the open ones."""
        del request, model_admin
        return [("resolved", "Resolved"), ("every", "Open and resolved")]

    def choices(self, changelist: Any) -> Any:
        """Call the first choice what it is."""
        for choice in super().choices(changelist):
            if choice["display"] == "All":
                choice["display"] = "Open"
            yield choice

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the letters of the state that was chosen."""
        del request
        if self.value() == "every":
            return queryset
        return queryset.filter(resolved_at__isnull=self.value() != "resolved")


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin):
    """Dead letters, open ones first; `manage.py replay_events` applies them."""

    list_display: ClassVar = [
        "source",
        "subject",
        "item_id",
        "state",
        "reason",
        "owner",
        "age",
    ]
    list_filter: ClassVar = [OpenFilter, "source", "owner"]
    search_fields: ClassVar = ["subject", "item_id"]

    @display(  # type: ignore[untyped-decorator]
        description="State", label={"parked": "danger", "waiting": "warning", "resolved": "success"}
    )
    def state(self, letter: DeadLetter) -> str:
        """Say whether it is parked itself or waits behind another."""
        if letter.resolved_at is not None:
            return "resolved"
        return "waiting" if letter.is_waiting else "parked"

    @display(description="Age", ordering="parked_at")  # type: ignore[untyped-decorator]
    def age(self, letter: DeadLetter) -> str:
        """Say how long it was or has been parked."""
        return timesince(letter.parked_at, letter.resolved_at)
