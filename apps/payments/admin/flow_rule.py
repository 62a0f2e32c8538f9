"""Which flows are allowed on which days as a page, and the page that changes one."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from apps.common.admin import ReadOnlyAdmin
from apps.operators.change_pages import ChoiceField, may, serve
from apps.operators.contracts import Author
from apps.operators.rule_pages import RuleForm, RulePage
from apps.payments.models import FlowRule
from apps.payments.services import flows
from apps.payments.states import Flow

_WORDS = {True: "allowed", False: "forbidden"}
_YES = "yes"


class FlowForm(RuleForm):
    """Which flow, and whether it is allowed."""

    flow = ChoiceField(choices=[(flow.value, flow.value) for flow in Flow])
    is_allowed = ChoiceField(label="From then on", choices=[(_YES, "allowed"), ("no", "forbidden")])


class ChangeFlow(RulePage):
    """From a day on, a flow is allowed or forbidden."""

    title = "Allow or forbid a flow"
    form = FlowForm
    model = FlowRule

    def key(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return which flow."""
        return {"flow": data["flow"]}

    def describe(self, row: FlowRule) -> str:
        """Say whether it is allowed."""
        return _WORDS[row.is_allowed]

    def say(self, data: dict[str, Any]) -> str:
        """Say whether it will be."""
        return _WORDS[data["is_allowed"] == _YES]

    def change(self, data: dict[str, Any], *, author: Author) -> None:
        """Change the rule."""
        flows.change_flow(
            Flow(data["flow"]),
            is_allowed=data["is_allowed"] == _YES,
            begins=data["begins"],
            author=author,
        )


@admin.register(FlowRule)
class FlowRuleAdmin(ReadOnlyAdmin):
    """Who may ask whom for money on which days, and by whose word."""

    list_display: ClassVar = ["flow", "is_allowed", "valid_from_date", "valid_to_date", "source"]
    list_filter: ClassVar = ["flow"]
    fields: ClassVar = list_display
    readonly_fields: ClassVar = list_display
    actions_list: ClassVar = ["change_flow"]
    has_change_rule_permission = may("payments.add_flowrule")

    @action(  # type: ignore[untyped-decorator]
        description="Allow or forbid a flow",
        url_path="change-flow",
        permissions=["change_rule"],
    )
    def change_flow(self, request: HttpRequest) -> HttpResponse:
        """End a rule and begin another."""
        return serve(self, request, ChangeFlow())
