"""The page of the timers, and the one that changes a timer."""

from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from apps.common.admin import ReadOnlyAdmin
from apps.operators.change_pages import ChoiceField, NumberField, may, serve
from apps.operators.contracts import Author
from apps.operators.rule_pages import RuleForm, RulePage
from apps.upi.models import TimerRule
from apps.upi.services import timer_rules
from apps.upi.timer_models import Timer


class TimerForm(RuleForm):
    """Which timer, and how long."""

    timer = ChoiceField(
        label="Which timer",
        choices=[("", "choose"), *((timer.value, timer.value) for timer in Timer)],
    )
    seconds = NumberField(
        min_value=1, max_value=timer_rules.SECONDS_MAX, help_text="Whole seconds."
    )


class ChangeTimer(RulePage):
    """From a day on, a longer or shorter wait."""

    title = "Change a timer"
    form = TimerForm
    model = TimerRule

    def key(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return which timer."""
        return {"timer": data["timer"]}

    def describe(self, row: TimerRule) -> str:
        """Show how long."""
        return length_of(row.seconds)

    def say(self, data: dict[str, Any]) -> str:
        """Show what will hold."""
        return length_of(data["seconds"])

    def change(self, data: dict[str, Any], *, author: Author) -> None:
        """Change the timer."""
        timer_rules.change_timer(
            Timer(data["timer"]),
            seconds=Decimal(data["seconds"]),
            begins=data["begins"],
            author=author,
        )


@admin.register(TimerRule)
class TimerRuleAdmin(ReadOnlyAdmin):
    """How long we wait for others, and others for us; since when, and by whose word."""

    list_display: ClassVar = ["timer", "length", "valid_from_date", "valid_to_date", "source"]
    list_filter: ClassVar = ["timer"]
    actions_list: ClassVar = ["change_timer"]
    has_change_rule_permission = may("upi.add_timerrule")

    @action(  # type: ignore[untyped-decorator]
        description="Change a timer", url_path="change-timer", permissions=["change_rule"]
    )
    def change_timer(self, request: HttpRequest) -> HttpResponse:
        """End a rule and begin another."""
        return serve(self, request, ChangeTimer())

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the rules in the order of their timers."""
        return super().get_queryset(request).order_by("timer", "-valid_from_date")

    @admin.display(description="seconds", ordering="seconds")
    def length(self, rule: TimerRule) -> str:
        """Show the seconds without needless zeros."""
        return length_of(rule.seconds)


def length_of(seconds: Decimal | int) -> str:
    """Return seconds as people write them."""
    return f"{float(seconds):g} s"
