"""The limits' pages of the back office."""

from apps.risk.admin.first_use import FirstUseAdmin
from apps.risk.admin.limit_rule import LimitRuleAdmin
from apps.risk.admin.limit_usage import LimitUsageAdmin
from apps.risk.admin.risk_score_rule import RiskScoreRuleAdmin

__all__ = ["FirstUseAdmin", "LimitRuleAdmin", "LimitUsageAdmin", "RiskScoreRuleAdmin"]
