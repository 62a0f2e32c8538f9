"""Close what a core-banking host answered and nobody had asked, by an operator's word."""

import datetime as dt
from uuid import UUID

from django.db import transaction

from apps.accounts.selectors import lock_unmatched_answer
from apps.operators.contracts import Author
from apps.operators.errors import ChangedMeanwhileError
from apps.operators.services import audit


@transaction.atomic(durable=True)
def close(answer_id: UUID, *, author: Author, now: dt.datetime) -> None:
    """
    Take an answer off the list of open items. It moves no money and changes no call or leg.

    Raises ChangedMeanwhileError when somebody has closed it already.
    """
    row = lock_unmatched_answer(answer_id)
    if row.closed_at is not None:
        raise ChangedMeanwhileError
    row.closed_at = now
    row.closed_by = author.operator
    row.closing_reason = author.reason
    row.save(update_fields=["closed_at", "closed_by", "closing_reason"])
    audit.record(
        actor=author.operator,
        action="unmatched_answer_closed",
        target=str(row),
        detail={"reason": author.reason, "answer_id": str(row.pk), "rrn": row.rrn},
        source_address=author.source_address,
    )
