"""The page of the API budget, and the one that changes a cap."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from apps.common import clock
from apps.common.admin import ReadOnlyAdmin
from apps.operators.change_pages import ChoiceField, NumberField, may, serve
from apps.operators.contracts import Author
from apps.operators.rule_pages import RuleForm, RulePage
from apps.upi.budget_models import CallDirection, GovernedApi, SubjectKind
from apps.upi.budget_report import line
from apps.upi.models import ApiCap, PeakHours
from apps.upi.services import caps


class CapForm(RuleForm):
    """Which cap, and how many calls."""

    calls = ChoiceField(label="Which calls", choices=[])
    cap = NumberField(
        min_value=1, max_value=caps.CAP_MAX, help_text="Calls for one subject in the cap's window."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the calls that have a cap."""
        super().__init__(*args, **kwargs)
        rows = ApiCap.objects.filter(valid_to_date=None, cap__isnull=False).order_by(
            "-direction", "api", "subject_kind"
        )
        offered = [f"{row.direction} {row.api} {row.subject_kind}" for row in rows]
        field = self.fields["calls"]
        assert isinstance(field, ChoiceField)
        field.choices = [("", "choose"), *((calls, calls) for calls in offered)]


class ChangeCap(RulePage):
    """From a day on, more or fewer calls."""

    title = "Change a cap"
    form = CapForm
    model = ApiCap

    def key(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return which calls."""
        direction, api, subject_kind = data["calls"].split(" ")
        return {"direction": direction, "api": api, "subject_kind": subject_kind}

    def describe(self, row: ApiCap) -> str:
        """Show how many calls."""
        return f"{row.cap or 'any number of'} calls"

    def say(self, data: dict[str, Any]) -> str:
        """Show what will hold."""
        return f"{data['cap']} calls"

    def change(self, data: dict[str, Any], *, author: Author) -> None:
        """Change the cap."""
        key = self.key(data)
        caps.change_cap(
            GovernedApi(key["api"]),
            CallDirection(key["direction"]),
            SubjectKind(key["subject_kind"]),
            cap=data["cap"],
            begins=data["begins"],
            author=author,
        )


@admin.register(ApiCap)
class ApiCapAdmin(ReadOnlyAdmin):
    """How often we may call each API of the switch, and others ours; and how often they did."""

    list_display: ClassVar = [
        "api",
        "direction",
        "subject_kind",
        "cap",
        "window",
        "peak_rule",
        "used_today",
        "used_in_window",
        "used_most",
        "subjects_spent",
        "valid_from_date",
        "valid_to_date",
    ]
    list_filter: ClassVar = ["api", "direction"]
    actions_list: ClassVar = ["change_cap"]
    has_change_rule_permission = may("upi.add_apicap")

    @action(  # type: ignore[untyped-decorator]
        description="Change a cap", url_path="change-cap", permissions=["change_rule"]
    )
    def change_cap(self, request: HttpRequest) -> HttpResponse:
        """End a cap and begin another."""
        return serve(self, request, ChangeCap())

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the rules in the order of their APIs."""
        return (
            super()
            .get_queryset(request)
            .order_by("-direction", "api", "subject_kind", "-valid_from_date")
        )

    @admin.display(description="window")
    def window(self, cap: ApiCap) -> str:
        """Show the window in hours."""
        return f"{cap.window_seconds / 3600:g} h"

    @admin.display(description="used today")
    def used_today(self, cap: ApiCap) -> int:
        """Count the uses of the Indian day."""
        return line(cap, at=clock.now()).used_today

    @admin.display(description="used in the window")
    def used_in_window(self, cap: ApiCap) -> int:
        """Count the uses of all subjects."""
        return line(cap, at=clock.now()).used_in_window

    @admin.display(description="busiest subject")
    def used_most(self, cap: ApiCap) -> int:
        """Count the uses of the subject that has most."""
        return line(cap, at=clock.now()).used_most

    @admin.display(description="subjects at the cap")
    def subjects_spent(self, cap: ApiCap) -> int:
        """Count the subjects that have nothing left."""
        return line(cap, at=clock.now()).subjects_spent


@admin.register(PeakHours)
class PeakHoursAdmin(ReadOnlyAdmin):
    """When calls that no customer waits for are not made."""

    list_display: ClassVar = [
        "begins_at",
        "ends_at",
        "valid_from_date",
        "valid_to_date",
        "source",
    ]
