"""
Refusals of limits and scores.

DomainError
└── RuleOutOfRangeError   no rule can say that
"""

from typing import ClassVar

from apps.common.errors import DomainError


class RuleOutOfRangeError(DomainError):
    """The value is not one that the rule can have: nothing was changed."""

    code: ClassVar[str] = "rule_out_of_range"
    title: ClassVar[str] = "The value is outside of what this rule can say"
