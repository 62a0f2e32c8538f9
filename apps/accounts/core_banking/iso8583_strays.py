"""Answers that nobody waits for: late ones go into their call's row, the others before a person."""

import queue
import threading
from collections import Counter

import structlog
from django.db import connection, transaction

from apps.accounts.core_banking import iso8583_calls as calls
from apps.accounts.core_banking.base import Result
from apps.accounts.core_banking.iso8583_codec import Parsed, escape
from apps.accounts.core_banking.iso8583_messages import instant_of, word_of
from apps.accounts.core_banking.iso8583_profile import Profile
from apps.accounts.models import CoreBankingCall, UnmatchedAnswer
from apps.accounts.states import CallKind, CallState, Unmatched
from apps.common import clock, ids

log = structlog.get_logger(__name__)

# What no longer fits is dropped: an enquiry or the host's file will say it too.
WAITING_MAX = 1000
IDLE_SECONDS = 5.0


class Strays:
    """Keeps what the links could give to nobody, in a thread of its own: a reader never waits."""

    def __init__(self, profile: Profile, *, acquirer: str, counts: "Counter[str]") -> None:
        self._profile = profile
        self._acquirer = acquirer
        self._counts = counts
        self.start_anew()

    def start_anew(self) -> None:
        """Have nothing to keep: a forked child leaves what is its parent's to the parent."""
        self._waiting: queue.Queue[tuple[Parsed, Unmatched | None]] = queue.Queue(WAITING_MAX)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, answer: Parsed, reason: Unmatched | None) -> None:
        """Have an answer kept. `reason` says why it is not its call's, None that this is open."""
        with self._lock:
            try:
                self._waiting.put_nowait((answer, reason))
            except queue.Full:
                self._counts["dropped"] += 1
                log.warning("host_answer_dropped", mti=answer.mti)
                return
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="core-banking-strays", daemon=True)
                # Known only once it runs: else nobody would start another.
                thread.start()
                self._thread = thread

    def close(self) -> None:
        """Wait until what was put is kept."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout=2 * IDLE_SECONDS)

    def _run(self) -> None:
        try:
            while True:
                with self._lock:
                    if self._waiting.empty():
                        self._thread = None
                        return
                self._keep_next()
        finally:
            connection.close()

    def _keep_next(self) -> None:
        answer, reason = self._waiting.get_nowait()
        try:
            self._keep(answer, reason)
        except Exception as error:
            # A thread that ended here would be taken for one that still keeps what is put.
            self._counts["dropped"] += 1
            log.exception("host_answer_dropped", mti=answer.mti, error=type(error).__name__)
            connection.close()

    @transaction.atomic
    def _keep(self, answer: Parsed, reason: Unmatched | None) -> None:
        row = self._lock_call(answer)
        if row is None:
            self._set_aside(answer, Unmatched.NO_CALL, None)
            return
        reason = reason or self._objection(row, answer)
        if reason is not None and self._was_set_aside(answer, reason, row):
            self._counts["repeated"] += 1
        elif reason is not None:
            self._set_aside(answer, reason, row)
        elif row.response_code == answer.get(39) or not self._counts_as_word(row, answer):
            self._counts["repeated"] += 1
        else:
            now = clock.now()
            word = word_of(answer, near=row.transmitted_at, at=now)
            calls.record([(row.pk, CallState.LATE, word)], final_codes=self._profile.final_codes)
            self._counts["late"] += 1
            log.warning("host_answered_late", kind=row.kind, call_id=str(row.pk))
            if self._approves_what_was_cancelled(row, answer):
                self._set_aside(answer, Unmatched.AFTER_CANCEL, row)

    def _lock_call(self, answer: Parsed) -> CoreBankingCall | None:
        at = instant_of(answer.get(7), near=clock.now())
        trace = answer.get(11)
        if at is None or not trace:
            return None
        return (
            CoreBankingCall.objects.select_for_update(no_key=True, of=("self",))
            .select_related("original")
            .filter(
                business_date=clock.business_date(at),
                stan=int(trace),
                # A terminal of ours has no byte that is escaped; a NUL would be no text at all.
                terminal=escape(answer.get(41)),
                acquirer=self._acquirer,
                mti_class=answer.mti[:2],
                transmitted_at=at,
            )
            .first()
        )

    def _objection(self, row: CoreBankingCall, answer: Parsed) -> Unmatched | None:
        """Return why an answer is not this call's, or contradicts what stands in its row."""
        asked = row.original.kind if row.kind == CallKind.CANCEL and row.original else row.kind
        expected = (row.rrn, f"{row.amount_paise:012}", self._profile.processing_codes[asked])
        if expected != tuple(answer.get(number) for number in (37, 4, 3)):
            return Unmatched.OTHER_CONTENT
        if row.response_code in self._profile.final_codes and row.response_code != answer.get(39):
            return Unmatched.CONTRADICTION
        return None

    def _counts_as_word(self, row: CoreBankingCall, answer: Parsed) -> bool:
        """Whether an answer ends its call: a refused cancellation is simply sent again."""
        return row.kind != CallKind.CANCEL or self._profile.is_cancelled(answer.get(39))

    def _approves_what_was_cancelled(self, row: CoreBankingCall, answer: Parsed) -> bool:
        if row.kind not in calls.MOVEMENTS or row.leg_id is None:
            return False
        if self._profile.response(answer.get(39)).result is not Result.POSTED:
            return False
        cancel = calls.of_legs([row.leg_id], [CallKind.CANCEL]).get(row.leg_id)
        return cancel is not None and self._profile.is_cancelled(cancel.response_code)

    def _was_set_aside(self, answer: Parsed, reason: Unmatched, call: CoreBankingCall) -> bool:
        """Whether a person has the same answer to an earlier enquiry about the leg already."""
        if call.kind != CallKind.ENQUIRY:
            return False
        return UnmatchedAnswer.objects.filter(
            closed_at__isnull=True,
            reason=reason.value,
            call__kind=CallKind.ENQUIRY,
            call__leg_id=call.leg_id,
            rrn=answer.get(37),
            processing_code=answer.get(3),
            amount=answer.get(4),
            response_code=answer.get(39),
        ).exists()

    def _set_aside(self, answer: Parsed, reason: Unmatched, call: CoreBankingCall | None) -> None:
        self._counts["unmatched"] += 1
        log.error("host_answer_unmatched", reason=reason.value, mti=answer.mti)
        UnmatchedAnswer.objects.create(
            id=ids.uuid7(),
            received_at=clock.now(),
            reason=reason.value,
            call=call,
            mti=answer.mti,
            terminal=escape(answer.get(41)),
            stan=answer.get(11),
            transmitted=answer.get(7),
            rrn=answer.get(37),
            processing_code=answer.get(3),
            amount=answer.get(4),
            response_code=answer.get(39),
        )
