"""Allow or forbid a kind of transaction, by an operator's word."""

import datetime as dt

from apps.operators.contracts import Author
from apps.operators.services import dated_rules
from apps.payments.models import FlowRule
from apps.payments.states import Flow


def change_flow(flow: Flow, *, is_allowed: bool, begins: dt.date, author: Author) -> None:
    """Allow or forbid a flow from a day on. Raises the refusals of dated rules."""
    dated_rules.change(
        FlowRule,
        key={"flow": flow.value},
        values={"is_allowed": is_allowed},
        begins=begins,
        author=author,
    )
