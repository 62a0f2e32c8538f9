"""What the host's words mean for an order: done, not done, or nobody knows."""

from dataclasses import dataclass, replace
from typing import Self
from uuid import UUID

import structlog

from apps.accounts.core_banking.base import OFFLINE, Order, OrderKind, Outcome, Result
from apps.accounts.core_banking.iso8583_calls import Call, Stored, Word
from apps.accounts.core_banking.iso8583_links import Answers
from apps.accounts.core_banking.iso8583_messages import balance_of, word_of
from apps.accounts.core_banking.iso8583_profile import Profile
from apps.accounts.states import CallState
from apps.common import clock

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome, and what is written of the calls that led to it."""

    outcome: Outcome
    words: tuple[tuple[UUID, CallState, Word | None], ...] = ()

    def after(self, earlier: "Verdict") -> Self:
        """Return this verdict with what an earlier one writes beside it."""
        return replace(self, words=(*earlier.words, *self.words))


class Judge:
    """Judges answers by the table of a profile."""

    def __init__(self, profile: Profile, refuses_after_reversal: bool) -> None:  # noqa: FBT001
        self._profile = profile
        self._refuses_after_reversal = refuses_after_reversal

    def movement(self, order: Order, call: Call, answers: Answers) -> Verdict:
        """Return what became of a movement that was sent, or that could not be sent."""
        state = self.state(call, answers)
        if state is CallState.NOT_SENT:
            outcome = self._not_sent(order)
        elif (answer := answers.received.get(call.id)) is None:
            outcome = Outcome(order, Result.UNKNOWN, "")
        else:
            outcome = replace(self._said(order, answer.get(39)), balance_after=balance_of(answer))
        return Verdict(outcome, ((call.id, state, self.word(call, answers)),))

    def known(self, order: Order, movement: Stored | None) -> Verdict | None:
        """Return what is proved already by a movement's row: by a late answer, or by no sending."""
        if movement is None:
            log.error("host_call_missing", leg_id=str(order.leg_id))
            return None
        if movement.state is CallState.NOT_SENT and order.kind is not OrderKind.REVERSAL:
            return Verdict(self._not_sent(order))
        outcome = self._said(order, movement.response_code)
        return (
            None if outcome.result is Result.UNKNOWN else Verdict(replace(outcome, is_found=True))
        )

    def enquiry(self, order: Order, movement: Stored, call: Call, answers: Answers) -> Verdict:
        """Return what an enquiry brought to light of a movement."""
        state, word = self.state(call, answers), self.word(call, answers)
        own = (call.id, state, word)
        codes = self._profile.enquiry_responses
        if word is None:
            asked = state is not CallState.NOT_SENT
            return Verdict(Outcome(order, Result.UNKNOWN, "", was_asked=asked), (own,))
        if word.response_code == codes.not_found:
            return Verdict(Outcome(order, Result.UNKNOWN, "", is_found=False), (own,))
        if word.response_code != codes.answered:
            return Verdict(Outcome(order, Result.UNKNOWN, ""), (own,))
        outcome = replace(self._said(order, word.original_code), is_found=True)
        if outcome.result is Result.UNKNOWN:
            return Verdict(outcome, (own,))
        proof = replace(word, response_code=word.original_code, original_code="")
        return Verdict(outcome, (own, (movement.call.id, CallState.LATE, proof)))

    def cancelled(
        self, order: Order, movement: Stored | None, cancel: Stored | None
    ) -> Verdict | None:
        """Return what is proved already: the host's late word, or that it was never asked."""
        if movement is None:
            log.error("host_call_missing", leg_id=str(order.leg_id))
            return None
        if movement.state is CallState.NOT_SENT:
            return Verdict(self._not_sent(order))
        if cancel is not None and self._ends(cancel.response_code):
            return Verdict(self._refused(order))
        return None

    def cancellation(self, order: Order, call: Call, answers: Answers) -> Verdict:
        """Return whether the host has acknowledged a cancellation."""
        state, word = self.state(call, answers), self.word(call, answers)
        if word is None:
            asked = state is not CallState.NOT_SENT
            outcome = Outcome(order, Result.UNKNOWN, "", was_asked=asked)
            return Verdict(outcome, ((call.id, state, None),))
        if not self._profile.is_cancelled(word.response_code):
            log.warning("host_cancels_not", response_code=word.response_code)
            # It is repeated, so its row stays open.
            return Verdict(Outcome(order, Result.UNKNOWN, ""), ((call.id, CallState.SILENT, None),))
        outcome = (
            self._refused(order)
            if self._ends(word.response_code)
            else Outcome(order, Result.UNKNOWN, "")
        )
        return Verdict(outcome, ((call.id, state, word),))

    def not_asked(self, order: Order) -> Verdict:
        """Return that nothing is known, for nobody was asked."""
        return Verdict(Outcome(order, Result.UNKNOWN, "", was_asked=False))

    def state(self, call: Call, answers: Answers) -> CallState:
        """Return what came of a call, as its row says it."""
        if call.id in answers.received:
            return CallState.ANSWERED
        return CallState.NOT_SENT if call.id in answers.not_sent else CallState.SILENT

    def word(self, call: Call, answers: Answers) -> Word | None:
        """Return the answer to a call, as its row keeps it."""
        answer = answers.received.get(call.id)
        if answer is None:
            return None
        return word_of(answer, near=call.transmitted_at, at=clock.now())

    def _ends(self, code: str) -> bool:
        return self._refuses_after_reversal and self._profile.is_cancelled(code)

    def _refused(self, order: Order) -> Outcome:
        return Outcome(order, Result.DECLINED, OFFLINE.get(order.kind, ""))

    def _not_sent(self, order: Order) -> Outcome:
        if order.kind is OrderKind.REVERSAL:
            # What was taken must go back: the return stays owed, and is sent later.
            return Outcome(order, Result.UNKNOWN, "", was_asked=False)
        return Outcome(order, Result.DECLINED, OFFLINE[order.kind])

    def _said(self, order: Order, code: str) -> Outcome:
        if not code:
            return Outcome(order, Result.UNKNOWN, "")
        response = self._profile.response(code)
        is_refused_return = response.result is Result.DECLINED and order.kind is OrderKind.REVERSAL
        if response.result is Result.UNKNOWN or is_refused_return:
            log.warning("host_outcome_unknown", response_code=code)
            return Outcome(order, Result.UNKNOWN, "")
        return Outcome(order, response.result, response.code(order.kind))
