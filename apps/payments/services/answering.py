"""Record our answers: in the transaction that decides a leg, or at once for what came late."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from apps.common import clock
from apps.payments import collect_messages, messages, selectors
from apps.payments.contracts import Job, Move, NewLeg, OpenedLeg, WireRequest
from apps.payments.services import legs
from apps.payments.services.opening import adopt_request
from apps.payments.states import Role, State, is_final
from apps.upi import deadlines
from apps.upi.contracts import Answer, DueAnswer
from apps.upi.services.answers import record_answers

_ADD_REQUEST = """
    INSERT INTO payments_legrequest
           (exchange_id, leg_id, request_message_id, wire_transaction_id, wire_transaction_at,
            wire_sub_type)
    VALUES (%s, %s, %s, %s, %s, %s)
"""
_TAKE_REQUESTS = """
    UPDATE payments_legrequest SET answered_at = clock_timestamp()
     WHERE leg_id = ANY(%s) AND answered_at IS NULL
    RETURNING leg_id, received_at, exchange_id, request_message_id, wire_transaction_id,
              wire_transaction_at, wire_sub_type
"""


def answer_of(job: Job, code: str) -> Answer:
    """Return the answer of a debit, credit or reversal to the message that asked for it."""
    return _answer(job, messages.request_of(job), job.received_at, code)


def record_leg_answers(
    outcomes: Sequence[tuple[Job, str]], *, claim: UUID | None
) -> list[DueAnswer]:
    """
    Record what became of legs, for every message that asked; return what is the claim's to send.

    The caller's transaction is open and holds the legs' row locks. A leg that nobody asked for
    (a tombstone, a file's reversal) has nobody to answer.
    """
    answers = [answer_of(job, code) for job, code in outcomes if job.exchange_id is not None]
    reversals = {job.id: (job, code) for job, code in outcomes if job.role is Role.REVERSAL}
    if reversals:
        answers += _further_answers(reversals)
    return record_answers(answers, claim=claim)


def _further_answers(outcomes: dict[UUID, tuple[Job, str]]) -> list[Answer]:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_REQUESTS, [list(outcomes)])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return [
        _answer(outcomes[leg_id][0], _request(rest), received_at, outcomes[leg_id][1])
        for leg_id, received_at, *rest in rows
    ]


def _request(row: Sequence[Any]) -> WireRequest:
    exchange_id, message_id, transaction_id, transaction_at, sub_type = row
    return WireRequest(
        exchange_id=exchange_id,
        message_id=message_id,
        transaction_id=transaction_id,
        transaction_at=transaction_at,
        sub_type=sub_type,
    )


def _answer(job: Job, request: WireRequest, received_at: dt.datetime, code: str) -> Answer:
    return Answer(
        exchange_id=request.exchange_id,
        message=messages.leg_answer(job, request, code=code, at=clock.now()),
        expires_at=received_at + answer_life(job.role),
    )


def answer_life(role: Role) -> dt.timedelta:
    """Return for how long after its request an answer may be sent for the first time."""
    return deadlines.answer_life(is_reversal=role is Role.REVERSAL)


def answer_late_original(transaction_id: str, role: Role) -> None:
    """Decline a debit or credit whose reversal came before it."""
    (job,) = selectors.jobs_of([transaction_id], [role])
    record_answers([answer_of(job, job.code)], claim=None)


def answer_further_request(opened: OpenedLeg, leg: NewLeg) -> None:
    """
    Take a further message for a reversal that exists: it gets the same outcome.

    The leg's row is locked, so that whoever decides it sees this message.
    """
    assert leg.request is not None, "it came by a message"
    if opened.exchange_id is None:
        adopt_request(opened.id, leg)
    else:
        _add_request(opened.id, leg.request)
    if is_final(Role.REVERSAL, opened.state):
        job = selectors.job(opened.id)
        if opened.exchange_id is None:
            record_answers([answer_of(job, job.code)], claim=None)
        else:
            record_answers(_further_answers({job.id: (job, job.code)}), claim=None)


def _add_request(leg_id: UUID, request: WireRequest) -> None:
    row: list[Any] = [
        request.exchange_id,
        leg_id,
        request.message_id,
        request.transaction_id,
        request.transaction_at,
        request.sub_type,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_ADD_REQUEST, row)


# Who we are asked about: a payee, or the payer of a collect.
_REFUSED = {
    Role.PAYEE_PSP: messages.refused,
    Role.PAYER_PSP: collect_messages.declined,
}


def refuse_authorisation(job: Job, code: str) -> None:
    """End a question about an address of ours that nobody waits for any more."""
    step = Move.of(job, State.REFUSED, code=code)
    legs.move([step])
    assert job.exchange_id is not None, "the switch asked"
    answer = Answer(
        exchange_id=job.exchange_id,
        message=_REFUSED[job.role](job, "UP", at=clock.now()),
        expires_at=job.received_at + answer_life(job.role),
    )
    record_answers([answer], claim=None)
