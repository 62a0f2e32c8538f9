"""Limit rules as a page, and the page that changes one."""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from apps.common.admin import ReadOnlyAdmin
from apps.common.money import Money
from apps.operators.change_pages import ChoiceField, RupeesField, may, serve
from apps.operators.contracts import Author
from apps.operators.rule_pages import RuleForm, RulePage
from apps.risk.contracts import Rule
from apps.risk.models import LimitRule
from apps.risk.services import rules


class LimitForm(RuleForm):
    """Which limit, and how much."""

    rule = ChoiceField(choices=[(rule.value, rule.value) for rule in Rule])
    value = RupeesField(
        label="Limit", help_text="Rupees; for DAY_COUNT the number of payments a day."
    )

    def clean(self) -> dict[str, Any]:
        """Refuse half a payment."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        value = data.get("value")
        if data.get("rule") == Rule.DAY_COUNT and value is not None and value != int(value):
            raise ValidationError({"value": "A number of payments is whole."})
        return data


class ChangeLimit(RulePage):
    """From a day on, another limit."""

    title = "Change a limit"
    form = LimitForm
    model = LimitRule

    def key(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return which limit."""
        return {"rule": data["rule"]}

    def describe(self, row: LimitRule) -> str:
        """Show rupees, or a number of payments."""
        return _shown(row.rule, row.value)

    def say(self, data: dict[str, Any]) -> str:
        """Show what will hold."""
        return _shown(data["rule"], _stored(data))

    def change(self, data: dict[str, Any], *, author: Author) -> None:
        """Change the limit."""
        rules.change_limit(Rule(data["rule"]), _stored(data), begins=data["begins"], author=author)


@admin.register(LimitRule)
class LimitRuleAdmin(ReadOnlyAdmin):
    """Which limit holds on which days, and by whose word."""

    list_display: ClassVar = [
        "rule",
        "value_display",
        "valid_from_date",
        "valid_to_date",
        "source",
    ]
    list_filter: ClassVar = ["rule"]
    fields: ClassVar = list_display
    readonly_fields: ClassVar = list_display
    actions_list: ClassVar = ["change_limit"]
    has_change_rule_permission = may("risk.add_limitrule")

    @admin.display(description="limit")
    def value_display(self, rule: LimitRule) -> str:
        """Show rupees, or a number of payments."""
        return _shown(rule.rule, rule.value)

    @action(  # type: ignore[untyped-decorator]
        description="Change a limit", url_path="change-limit", permissions=["change_rule"]
    )
    def change_limit(self, request: HttpRequest) -> HttpResponse:
        """End a limit and begin another."""
        return serve(self, request, ChangeLimit())


def _shown(rule: str, value: int) -> str:
    return f"{value} payments" if rule == Rule.DAY_COUNT else Money(value).display()


def _stored(data: dict[str, Any]) -> int:
    if data["rule"] == Rule.DAY_COUNT:
        return int(data["value"])
    return Money.from_rupees(f"{data['value']:.2f}").paise
