"""Change how often an API may be called, by an operator's word."""

import datetime as dt

from apps.common.errors import NotFoundError
from apps.operators.contracts import Author
from apps.operators.services import dated_rules
from apps.upi.budget_models import ApiCap, CallDirection, GovernedApi, SubjectKind
from apps.upi.errors import CapOutOfRangeError

CAP_MAX = 100_000


def change_cap(
    api: GovernedApi,
    direction: CallDirection,
    subject_kind: SubjectKind,
    *,
    cap: int,
    begins: dt.date,
    author: Author,
) -> None:
    """
    Let another cap hold from a day on; its window and its peak rule stay as they are.

    Raises NotFoundError (nothing caps such calls), CapOutOfRangeError, and the refusals of dated
    rules.
    """
    if not 0 < cap <= CAP_MAX:
        raise CapOutOfRangeError
    key = {"api": api.value, "direction": direction.value, "subject_kind": subject_kind.value}
    rows = dated_rules.open_rows(ApiCap, key)
    if not rows:
        raise NotFoundError
    same = {"window_seconds": rows[0].window_seconds, "peak_rule": rows[0].peak_rule}
    dated_rules.change(ApiCap, key=key, values={"cap": cap, **same}, begins=begins, author=author)
