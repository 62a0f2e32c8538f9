"""Take what the switch's settlement file says of payments: it is proof, and it ends what hangs."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction

from apps.messaging import wakeups
from apps.payments import selectors
from apps.payments.contracts import Job, NewLeg, TransactionFacts
from apps.payments.errors import TransactionDiffersError
from apps.payments.services.conclude import Word, conclude
from apps.payments.services.opening import open_leg
from apps.payments.states import Role, State, is_final

log = structlog.get_logger(__name__)

ROWS_MAX = 5_000
# upi-protocol 4.6: done; deemed done; the debit's reversal timed out.
DONE, DEEMED, REVERSAL_TIMED_OUT = "00", "RB", "RR"
# The file of a payment's day and the next are complete, and neither names it.
ABSENT = "U48"

_KEEP = """
    INSERT INTO payments_fileverdict
           (settlement_date, transaction_id, rrn, response_code, amount_paise, is_beneficiary)
    SELECT %(date)s, row.* FROM unnest(%(ids)s::text[], %(rrns)s::text[], %(codes)s::text[],
                                       %(amounts)s::bigint[], %(ours)s::bool[]) AS row
    ON CONFLICT (transaction_id, settlement_date) DO NOTHING
"""

_HANGING = """
    SELECT leg.transaction_id
      FROM payments_leg AS leg
     WHERE leg.role IN ('PAYER_PSP', 'PAYEE_PSP')
       AND leg.state IN ('SENDING', 'AUTHORISED', 'UNKNOWN')
       AND leg.received_at >= %(start)s AND leg.received_at < %(end)s
       -- A collect may be paid as long as it has not expired.
       AND (leg.expires_at IS NULL OR leg.expires_at < %(end)s)
       AND NOT EXISTS (SELECT FROM payments_fileverdict AS verdict
                        WHERE verdict.transaction_id = leg.transaction_id)
"""


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of the switch's file: how a payment ended, and which of its banks we were."""

    facts: TransactionFacts
    response_code: str
    is_remitter: bool
    is_beneficiary: bool
    remitter_account: str


def apply_rows(rows: Sequence[FileRow], *, settlement_date: dt.date) -> None:
    """
    Keep the rows as proof, end what they end, and reverse what the switch says it reversed.

    One transaction: a file is applied whole or not at all, and a second time changes nothing.
    """
    with transaction.atomic(durable=True):
        for start in range(0, len(rows), ROWS_MAX):
            part = rows[start : start + ROWS_MAX]
            _keep(part, settlement_date)
            _conclude(part)
            _open_reversals(part)


def apply_absence(*, start: dt.datetime, end: dt.datetime) -> int:
    """
    End payments of a time that neither their day's complete file nor the next day's names.

    The caller vouches that both files were complete and applied. Return how many were ended.
    """
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute(_HANGING, {"start": start, "end": end})
            absent = [row[0] for row in cursor.fetchall()]
        jobs = selectors.lock_jobs_of(absent, [Role.PAYER_PSP, Role.PAYEE_PSP])
        words = [
            Word(job, State.FAILED, ABSENT) for job in jobs if not is_final(job.role, job.state)
        ]
        conclude(words, source="file")
    return len(words)


def _keep(rows: Sequence[FileRow], settlement_date: dt.date) -> None:
    parameters: dict[str, Any] = {
        "date": settlement_date,
        "ids": [row.facts.id for row in rows],
        "rrns": [row.facts.rrn for row in rows],
        "codes": [row.response_code for row in rows],
        "amounts": [row.facts.amount.paise for row in rows],
        "ours": [row.is_beneficiary for row in rows],
    }
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, parameters)


def _conclude(rows: Sequence[FileRow]) -> None:
    codes = {row.facts.id: row.response_code for row in rows}
    jobs = selectors.lock_jobs_of(list(codes), [Role.PAYER_PSP, Role.PAYEE_PSP])
    words = [
        Word(job, _state(job, codes[job.transaction_id]), _code(codes[job.transaction_id]))
        for job in jobs
        if job.state not in {State.CREATED, State.RECEIVED, State.WAITING_PAYER, State.REFUSED}
    ]
    # A deemed payment stays what the switch called it; that the file says RB is no other word.
    conclude(
        [word for word in words if not _agrees(word)],
        source="file",
    )


def _agrees(word: Word) -> bool:
    ends = {word.job.state, word.state}
    return ends == {State.SUCCESS, State.DEEMED}


def _state(job: Job, code: str) -> State:
    is_payer = job.role is Role.PAYER_PSP
    if code == DONE:
        return State.SUCCESS if is_payer else State.CONFIRMED
    if code == DEEMED:
        return State.DEEMED if is_payer else State.CONFIRMED
    return State.FAILED


def _code(code: str) -> str:
    return "" if code in {DONE, DEEMED} else code


def _open_reversals(rows: Sequence[FileRow]) -> None:
    """Open the reversal whose message never reached us; a late one finds it under its key."""
    timed_out = [row for row in rows if row.response_code == REVERSAL_TIMED_OUT and row.is_remitter]
    for row in timed_out:
        leg = NewLeg(
            role=Role.REVERSAL,
            kind=Role.DEBIT,
            state=State.WAITING_ORIGINAL,
            account_number=row.remitter_account,
            is_on_us=row.is_beneficiary
            or row.facts.payee_address.rpartition("@")[2] in settings.UPI_HANDLES,
        )
        try:
            with transaction.atomic():
                open_leg(row.facts, leg)
        except TransactionDiffersError as error:
            # One row that contradicts our books must not hold up the file: it is a break.
            log.warning("file_row_differs", transaction_id=row.facts.id, field=error.field)
    if timed_out:
        wakeups.wake_on_commit("payments.reversal")
