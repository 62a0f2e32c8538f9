"""Who may ask whom for money on which day: dated rows, so that no release turns a rule."""

import datetime as dt

from django.db.models import Q

from apps.payments.models import FlowRule
from apps.payments.states import Flow


def is_allowed(flow: Flow, *, on: dt.date) -> bool:
    """Say whether the rules of an Indian day allow this; without a rule it is not allowed."""
    return (
        FlowRule.objects.filter(flow=flow, is_allowed=True, valid_from_date__lte=on)
        .filter(Q(valid_to_date__isnull=True) | Q(valid_to_date__gt=on))
        .exists()
    )
