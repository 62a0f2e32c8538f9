"""Thresholds of risk scores as a page, and the pages that change and end one."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from apps.common.admin import ReadOnlyAdmin
from apps.operators.change_pages import NumberField, TextField, may, serve
from apps.operators.contracts import Author
from apps.operators.rule_pages import RuleForm, RulePage
from apps.risk.models import RiskScoreRule
from apps.risk.services import rules


class ThresholdForm(RuleForm):
    """Whose score, of what kind, and from which on."""

    provider = TextField(max_length=20, initial="NPCI", help_text="Who gives the score.")
    score_type = TextField(label="Kind of score", max_length=20, initial="TXNRISK")
    threshold = NumberField(
        required=False,
        min_value=1,
        max_value=rules.SCORE_MAX,
        help_text="A debit whose score reaches it is declined (K1). Empty: no debit is, any more.",
    )


class ChangeThreshold(RulePage):
    """From a day on, another threshold or none."""

    title = "Change a threshold"
    form = ThresholdForm
    model = RiskScoreRule

    def initial(self, row: Any) -> dict[str, Any]:
        """Begin with the switch's own score."""
        return super().initial(row) | {"provider": "NPCI", "score_type": "TXNRISK"}

    def key(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return whose score."""
        return {"provider": data["provider"], "score_type": data["score_type"]}

    def describe(self, row: RiskScoreRule) -> str:
        """Show the threshold."""
        return f"declined from {row.threshold} on"

    def say(self, data: dict[str, Any]) -> str:
        """Show what will hold."""
        return "" if data["threshold"] is None else f"declined from {data['threshold']} on"

    def change(self, data: dict[str, Any], *, author: Author) -> None:
        """Change the threshold."""
        rules.change_threshold(
            data["provider"],
            data["score_type"],
            data["threshold"],
            begins=data["begins"],
            author=author,
        )


@admin.register(RiskScoreRule)
class RiskScoreRuleAdmin(ReadOnlyAdmin):
    """From which risk score on debits are declined, on which days, and by whose word."""

    list_display: ClassVar = [
        "provider",
        "score_type",
        "threshold",
        "valid_from_date",
        "valid_to_date",
        "source",
    ]
    list_filter: ClassVar = ["provider", "score_type"]
    fields: ClassVar = list_display
    readonly_fields: ClassVar = list_display
    actions_list: ClassVar = ["change_threshold"]
    has_change_rule_permission = may("risk.add_riskscorerule")

    @action(  # type: ignore[untyped-decorator]
        description="Change a threshold",
        url_path="change-threshold",
        permissions=["change_rule"],
    )
    def change_threshold(self, request: HttpRequest) -> HttpResponse:
        """End a threshold and begin another, or none."""
        return serve(self, request, ChangeThreshold())
