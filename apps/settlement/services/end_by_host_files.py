"""End postings of unknown outcome by what the core-banking host's files prove."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from apps.accounts.core_banking import iso8583_calls, mirror
from apps.accounts.core_banking.base import OFFLINE, OrderKind
from apps.accounts.core_banking.iso8583_calls import Word
from apps.accounts.core_banking.iso8583_profile import Profile
from apps.accounts.states import CallState
from apps.common import ids
from apps.ledger.selectors import lock_books
from apps.messaging import claims
from apps.payments import selectors as payments
from apps.payments.contracts import Job
from apps.payments.services import legs, posting, unknown
from apps.payments.services.posting import Decision
from apps.payments.states import Role, State
from apps.settlement import host_judging, host_selectors
from apps.settlement.contracts import HostLine, OurCall
from apps.settlement.host_file import APPROVED
from apps.settlement.host_judging import HostDays, Proof
from apps.upi.contracts import DueAnswer
from apps.upi.services.answers import send_answers

log = structlog.get_logger(__name__)

_ROLES = (Role.DEBIT, Role.CREDIT, Role.REVERSAL)


@dataclass(slots=True)
class _Ends:
    """What a batch of calls comes to, by the proofs."""

    posted: list[tuple[Job, OurCall, HostLine]] = field(default_factory=list)
    declined: list[Job] = field(default_factory=list)
    owed: list[OurCall] = field(default_factory=list)

    def add(self, job: Job, call: OurCall, lines: Sequence[HostLine], proof: Proof) -> None:
        """
        Sort a leg by what is proved of its call.

        CANCELLING never becomes POSTED, and a return stays owed until it is posted: one that never
        came to anything is sent again, one that the host took back is for a person.
        """
        if proof is Proof.DONE and job.state is State.UNKNOWN:
            self.posted.append((job, call, lines[0]))
        elif proof is Proof.NOT_DONE and job.role is Role.REVERSAL:
            self.owed.append(call)
        elif proof in {Proof.NOT_DONE, Proof.UNDONE} and job.role is not Role.REVERSAL:
            self.declined.append(job)


def end_proved(*, now: dt.datetime) -> int:
    """
    End every UNKNOWN or CANCELLING posting of which the files prove enough; return how many.

    Called with no transaction open. Safe to repeat: what is proved does not change.
    """
    found = host_selectors.open_legs()
    profile = host_selectors.profile()
    # Before the locks: the days that are there now cannot become fewer.
    days = host_selectors.days_of(host_selectors.open_calls([leg_id for leg_id, _ in found]))
    ended = 0
    for start in range(0, len(found), settings.CLAIM_POST_MAX):
        part = found[start : start + settings.CLAIM_POST_MAX]
        token = ids.uuid7()
        answers, count = _end(part, claim=token, profile=profile, days=days, now=now)
        if answers:
            send_answers(answers)
        ended += count
    return ended


@transaction.atomic(durable=True)
def _end(
    part: Sequence[tuple[UUID, str]],
    *,
    claim: UUID,
    profile: Profile,
    days: HostDays,
    now: dt.datetime,
) -> tuple[list[DueAnswer], int]:
    # The lock of the books comes before those of legs, as when the host itself is asked.
    lock_books()
    wanted = {leg_id for leg_id, _ in part}
    jobs = {
        job.id: job
        for job in payments.lock_jobs_of([transaction_id for _, transaction_id in part], _ROLES)
        if job.id in wanted
    }
    # Read behind the locks: nobody sends these calls again meanwhile.
    calls = host_selectors.open_calls(list(jobs))
    lines = host_selectors.lines_by_key([call.key for call in calls])
    ends = _Ends()
    for call in calls:
        told = lines.get(call.key, [])
        proof = host_judging.proof(call, told, days, codes=profile.processing_codes)
        ends.add(jobs[call.leg_id], call, told, proof)
    answers = _record(ends, claim=claim, final_codes=profile.final_codes, now=now)
    count = len(ends.posted) + len(ends.declined)
    if count or ends.owed:
        log.warning("ended_by_host_files", ended=count, returns_sent_again=len(ends.owed))
    return answers, count


def _record(
    ends: _Ends, *, claim: UUID, final_codes: Sequence[str], now: dt.datetime
) -> list[DueAnswer]:
    transfers = mirror.post(
        [posting.order_of(job, account_number=call.account) for job, call, _ in ends.posted]
    )
    decisions = [
        Decision(job, State.POSTED, APPROVED, transfer_id)
        for (job, _, _), transfer_id in zip(ends.posted, transfers, strict=True)
    ]
    decisions += [
        Decision(job, State.DECLINED, OFFLINE[OrderKind(job.role)]) for job in ends.declined
    ]
    # What waited for a person has its end now.
    claims.unpark(table=legs.TABLE, row_ids=[each.job.id for each in decisions])
    answers = unknown.end_proved(decisions, claim=claim, held=None) if decisions else []
    words = [
        (call.id, CallState.LATE, Word(APPROVED, now, settlement_date=line.business_date))
        for _, call, line in ends.posted
    ]
    iso8583_calls.record(words, final_codes=final_codes)
    iso8583_calls.release_returns(
        {call.id: call.last_sent_at for call in ends.owed}, final_codes=final_codes
    )
    return answers
