"""
Ask the switch what a row stands for: send it once, wait for the answer, call silence UNKNOWN.

For questions on which no money hangs. The row is CREATED, then SENDING; an answer ends it in words
of its own table, also one that comes after it was called UNKNOWN. The table has the columns of a
work table (apps.messaging.claims), `exchange_id`, `result_code` and `ended_at`.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import Now

from apps.common import ids
from apps.common.faults import fault_point
from apps.messaging import claims
from apps.upi import timers
from apps.upi.contracts import Head, Message, Request, SendOutcome, SendResult, Txn
from apps.upi.services.requests import open_within_budget, send_requests
from apps.upi.timer_models import Timer

CREATED, SENDING, UNKNOWN = "CREATED", "SENDING", "UNKNOWN"
NOT_SENT, OVER_BUDGET, GONE = "NOT_SENT", "OVER_BUDGET", "GONE"
RESULT_CODE_SIGNS_MAX = 20
_REFERENCE_URL = "https://www.npci.org.in/"


class AskedRow(Protocol):
    """A row that stands for a question."""

    pk: UUID
    exchange_id: UUID
    state: str
    result_code: str
    ended_at: dt.datetime | None
    claim: UUID | None
    next_action_at: dt.datetime | None

    def save(self) -> None:
        """Write the row."""


Row = TypeVar("Row", bound=AskedRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Generic[Row]):
    """
    How the rows of a table are asked.

    `load` returns claimed rows with all that `message_of` needs, which returns None for what can be
    asked no more. `refused` is the state of a row that gets no answer, and `name` is that of its
    fault point.
    """

    name: str
    rows: models.Manager[Any]
    load: Callable[[Sequence[UUID]], list[Row]]
    lock: Callable[[UUID], Row | None]
    message_of: Callable[[Row, dt.datetime], Message | None]
    refused: str
    timer: Timer


def advance_due(question: Question[Row], *, at: dt.datetime) -> int:
    """Send the questions that are due, each once, and call those unanswered for long UNKNOWN."""
    requests = _open_due(question, at=at)
    if requests:
        outcomes = send_requests(requests)
        fault_point(f"{question.name}.sent")
        _record(question, outcomes, at=at)
    return len(requests) + _call_unknown(question)


def end(row: AskedRow, state: str, code: str, *, at: dt.datetime) -> None:
    """Write down what became of a question. The caller holds the row's lock, or its claim."""
    row.state = state
    row.result_code = code[:RESULT_CODE_SIGNS_MAX]
    row.ended_at = at
    row.claim = None
    row.next_action_at = None
    row.save()


def head_of(*, at: dt.datetime) -> Head:
    """Return the head of a message of ours."""
    return Head(ts=at, org_id=settings.UPI_ORG_ID, msg_id=ids.new_upi_id(settings.UPI_ID_PREFIX))


def txn_of(number: str, kind: str, *, at: dt.datetime) -> Txn:
    """Return the transaction of a question: it refers to nothing but itself."""
    return Txn(
        id=number,
        ts=at,
        type=kind,
        note=kind,
        ref_id=number,
        ref_url=_REFERENCE_URL,
        initiation_mode="00",
        purpose="00",
    )


@transaction.atomic(durable=True)
def _open_due(question: Question[Row], *, at: dt.datetime) -> list[Request]:
    claim = claims.claim_due(
        table=question.rows.model._meta.db_table,
        states=[CREATED],
        limit=settings.CLAIM_SEND_MAX,
        lease_seconds=settings.LEASE_WIRE_SECONDS,
    )
    if not claim:
        return []
    rows = question.load(claim.ids)
    requests = []
    for row in rows:
        message = question.message_of(row, at)
        if message is None:
            end(row, question.refused, GONE, at=at)
        else:
            requests.append(Request(exchange_id=row.exchange_id, message=message))
    refused = open_within_budget(requests)
    for row in rows:
        if row.exchange_id in refused:
            end(row, question.refused, OVER_BUDGET, at=at)
    question.rows.filter(pk__in=claim.ids, claim=claim.token).update(
        state=SENDING, claim=None, next_action_at=Now() + timers.span(question.timer)
    )
    return [request for request in requests if request.exchange_id not in refused]


def _record(question: Question[Row], outcomes: Sequence[SendOutcome], *, at: dt.datetime) -> None:
    """Record what the sending itself proved; an answer may have come before, and stands."""
    for outcome in outcomes:
        if outcome.result is SendResult.NACKED:
            _refuse_unanswered(question, outcome.exchange_id, outcome.code, at=at)
        elif outcome.result is SendResult.NOT_SENT:
            _refuse_unanswered(question, outcome.exchange_id, NOT_SENT, at=at)


@transaction.atomic
def _refuse_unanswered(
    question: Question[Row], exchange_id: UUID, code: str, *, at: dt.datetime
) -> None:
    row = question.lock(exchange_id)
    if row is not None and row.state == SENDING:
        end(row, question.refused, code, at=at)


def _call_unknown(question: Question[Row]) -> int:
    """Call questions UNKNOWN whose answer is overdue: nobody may conclude from silence."""
    overdue = question.rows.filter(state=SENDING, next_action_at__lte=Now())
    return overdue.update(state=UNKNOWN, next_action_at=None)
