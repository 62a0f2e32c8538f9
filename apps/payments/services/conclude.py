"""Apply somebody's word on how a payment ended: the switch's answer, its check, or its file."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.db import connection

from apps.payments.contracts import Job, Move
from apps.payments.services import endings, legs
from apps.payments.services.endings import End
from apps.payments.states import State, is_final, may_move

log = structlog.get_logger(__name__)

_CONTRADICT = """
    INSERT INTO payments_contradiction (leg_id, transaction_id, role, state, told, code, source)
    VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody says of a PSP leg: the state it would mean, with the UPI code."""

    job: Job
    state: State
    code: str


def conclude(words: Sequence[Word], *, source: str) -> None:
    """
    End PSP legs as they are said to have ended, publish it, and fulfil orders.

    The caller's transaction is open and holds the legs' row locks; whatever claim stands is
    cleared. The first end stands: a repeat of it changes nothing, and another end is listed as a
    contradiction for a person to look at.
    """
    moves = []
    for word in words:
        job = word.job
        if job.state is word.state:
            continue
        if is_final(job.role, job.state):
            _contradict(word, source)
            continue
        assert may_move(job.role, job.state, word.state), f"{job.role}: {job.state}, {word.state}"
        moves.append((word, Move.of(word.job, word.state, code=word.code)))
    moved = legs.move([move for _, move in moves])
    endings.follow(
        [End(word.job, word.state, word.code) for word, move in moves if move.leg_id in moved]
    )


def _contradict(word: Word, source: str) -> None:
    job = word.job
    log.warning(
        "end_contradicted",
        transaction_id=job.transaction_id, role=job.role, state=job.state, told=word.state,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            _CONTRADICT,
            [job.id, job.transaction_id, job.role, job.state, word.state, word.code, source],
        )
