"""The limits' pages of the back office."""

from apps.risk.admin.limit_rule import LimitRuleAdmin
from apps.risk.admin.limit_usage import LimitUsageAdmin

__all__ = ["LimitRuleAdmin", "LimitUsageAdmin"]
