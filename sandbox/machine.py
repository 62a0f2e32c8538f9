"""The payment machine: ask, debit, credit, answer, and every way back from a failure."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Mapping

from sandbox import clock, codec, intake, magic, messages, world
from sandbox.journal import Entry, Journal, Kind
from sandbox.member import Answered, Member, NotAcked, Outcome, Silent
from sandbox.payment import (
    DEEMED,
    SUCCESS,
    Payment,
    PaymentKind,
    Stage,
    Status,
    Verdict,
    failure,
)
from sandbox.refunds import Refunds
from sandbox.timers import Timers
from sandbox.translation import MismatchError, Translator

_CREDIT_NOT_DONE = {"00", "NC", "OC"}
_DEBIT_NOT_STANDING = {"00", "ND", "OD"}


class Machine:
    """Carries payments through the switch. Each is one task; the journal holds its stage."""

    def __init__(
        self,
        *,
        members: Mapping[str, Member],
        translator: Translator,
        journal: Journal,
        timers: Timers,
    ) -> None:
        self._members = members
        self._translator = translator
        self._journal = journal
        self._timers = timers
        self._refunds = Refunds(journal)
        self._live: dict[str, Payment] = {}
        self._ended: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, payment: Payment) -> None:
        """Go on with a payment that the journal already holds, from the stage it is in."""
        self._live[payment.transaction_id] = payment
        self._ended[payment.transaction_id] = asyncio.Event()
        task = asyncio.create_task(self._carry(payment))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def payment(
        self,
        transaction_id: str,
        *,
        limit: contextlib.AbstractAsyncContextManager[object] | None = None,
    ) -> Payment | None:
        """Return a payment, within a limit when it has ended; None if it was never seen."""
        ended = self._ended.get(transaction_id)
        if ended is not None and limit is not None:
            with contextlib.suppress(TimeoutError):
                async with limit:
                    await ended.wait()
        return self._live.get(transaction_id) or await self._journal.payment(transaction_id)

    def collects_of(self, address: str) -> list[Payment]:
        """Return the collects that wait for this payer's word."""
        return [
            payment
            for payment in self._live.values()
            if payment.stage is Stage.AUTHORISING
            and payment.payer_address.lower() == address.lower()
        ]

    async def close(self) -> None:
        """Stop where everything stands: the journal knows how to go on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, payment: Payment) -> None:
        if not payment.is_final:
            verdict = await self._decide(payment)
            behaviour = _behaviour(payment)
            if behaviour.verdict_delay_seconds:
                await clock.sleep(self._timers.scaled(behaviour.verdict_delay_seconds))
            payment.verdict = verdict
            await self._enter(payment, Stage.ANSWERING, *_entries(payment))
        self._ended[payment.transaction_id].set()
        await self._announce(payment)
        self._journal.note_done(payment)
        self._live.pop(payment.transaction_id)
        self._ended.pop(payment.transaction_id)

    async def _decide(self, payment: Payment) -> Verdict:
        """
        Walk a payment to its end.

        A stage found after a restart counts as not answered; only a collect's payer is asked again.
        """
        match payment.stage:
            case Stage.RESOLVING if payment.kind is PaymentKind.PAY:
                return await self._resolve(payment)
            case Stage.RESOLVING if payment.kind is PaymentKind.REFUND:
                return await self._open_refund(payment)
            case Stage.RESOLVING | Stage.AUTHORISING:
                return await self._authorise(payment)
            case Stage.DEBITING:
                return await self._reverse_debit(payment, code="U67", raw_code="UT")
            case Stage.REVERSING_DEBIT:
                verdict = payment.verdict
                return await self._reverse_debit(
                    payment, code=verdict.code, raw_code=verdict.raw_code
                )
            case _:
                return await self._reverse_credit(payment)

    async def _resolve(self, payment: Payment) -> Verdict:
        if not payment.credential:
            return failure("U20")
        if code := _behaviour(payment).switch_code:
            return failure(code)
        if not payment.payee_psp:
            # The address names the account: there is nobody to ask, and nobody to tell of the end.
            return await self._debit(payment)
        return await self._ask_payee(payment)

    async def _ask_payee(self, payment: Payment) -> Verdict:
        request = messages.auth_request(payment)
        outcome = await self._ask(payment.payee_psp, request, self._timers.leg_seconds)
        match outcome:
            case NotAcked():
                return failure("U18")
            case Silent():
                return failure("U09")
            case Answered() if not outcome.is_success:
                return failure(f"U19~{outcome.code}")
        return await self._resolved(payment, outcome)

    async def _resolved(self, payment: Payment, outcome: Answered) -> Verdict:
        payee = outcome.envelope.root.find("Payees/Payee")
        assert payee is not None, "the gate judged the answer"
        payment.payee = payee
        payment.is_resolved = True
        beneficiary = world.member_of_ifsc(codec.account_detail(payee, "IFSC"))
        if beneficiary is None:
            return failure("U29")
        payment.beneficiary = beneficiary.org_id
        return await self._debit(payment)

    async def _authorise(self, payment: Payment) -> Verdict:
        """Ask the payer's PSP whether he agrees, until the collect expires by the clock."""
        if not payment.expires_at:
            limit = dt.timedelta(seconds=self._timers.scaled(payment.expire_minutes * 60))
            payment.expires_at = clock.iso(dt.datetime.fromisoformat(payment.created_at) + limit)
        await self._enter(payment, Stage.AUTHORISING)
        expires_at = dt.datetime.fromisoformat(payment.expires_at)
        member = self._members[payment.payer_psp]
        asking = asyncio.create_task(member.ask(messages.auth_request(payment), limit_seconds=None))
        outcome = await clock.at_most_until(expires_at, asking)
        match outcome:
            case None | Silent():
                payment.is_resolved = True
                return failure("U69")
            case NotAcked():
                return failure("U18")
            case Answered() if not outcome.is_success:
                return failure(f"U19~{outcome.code}")
        payer = outcome.envelope.root.find("Payer")
        assert payer is not None, "the gate judged the answer"
        intake.take_credential(payment, payer)
        payment.is_resolved = True
        if not payment.remitter:
            return failure("U28")
        if code := _behaviour(payment).switch_code:
            return failure(code)
        return await self._debit(payment)

    async def _open_refund(self, payment: Payment) -> Verdict:
        if code := await self._refunds.refusal(payment):
            return failure(code)
        payment.is_resolved = True
        return await self._debit(payment)

    async def _debit(self, payment: Payment) -> Verdict:
        if _account(payment.payer) == _account(payment.payee):
            return failure("U96")
        try:
            cred = self._credential(payment)
        except MismatchError as mismatch:
            return failure(mismatch.code)
        request = messages.debit_request(payment, cred)
        payment.credential = ""
        payment.debit_message_id = codec.envelope(request).message_id
        await self._enter(payment, Stage.DEBITING)
        outcome = await self._ask(payment.remitter, request, self._timers.leg_seconds)
        match outcome:
            case NotAcked():
                return await self._reverse_debit(payment, code="U53", raw_code="UT")
            case Silent():
                return await self._reverse_debit(payment, code="U67", raw_code="UT")
        payment.payer_reference = _reference(outcome)
        if not outcome.is_success:
            return failure(f"U30~{outcome.code}", outcome.code)
        return await self._credit(payment)

    def _credential(self, payment: Payment) -> codec.Element:
        """Return the credential for the issuer. Raises MismatchError."""
        if payment.kind is PaymentKind.REFUND:
            return messages.approved_cred(payment.approval)
        return messages.pin_cred(*self._translator.for_debit(payment))

    async def _credit(self, payment: Payment) -> Verdict:
        request = messages.credit_request(payment)
        payment.credit_message_id = codec.envelope(request).message_id
        debit = Entry(Kind.DEBIT, payment.remitter, payment.amount_paise)
        await self._enter(payment, Stage.CREDITING, debit)
        outcome = await self._ask(payment.beneficiary, request, self._timers.leg_seconds)
        match outcome:
            case NotAcked():
                return await self._reverse_debit(payment, code="U26", raw_code="BT")
            case Silent():
                return await self._reverse_credit(payment)
        payment.payee_reference = _reference(outcome)
        if outcome.is_success:
            return SUCCESS
        code = f"U31~{outcome.code}"
        return await self._reverse_debit(payment, code=code, raw_code=outcome.code)

    async def _reverse_credit(self, payment: Payment) -> Verdict:
        """Ask a silent beneficiary to leave the credit undone; CS keeps it, silence is deemed."""
        await self._enter(payment, Stage.REVERSING_CREDIT)
        request = messages.reversal_request(payment, leg="CREDIT", code="U68")
        limit = self._timers.reversal_seconds
        outcome = await self._ask(payment.beneficiary, request, limit)
        if not isinstance(outcome, Answered):
            return DEEMED
        if outcome.code == "CS":
            # The bank says that it reversed nothing: what it keeps is settled all the same.
            kept = {"respCode": "00", "settAmount": payment.amount}
            payment.payee_reference = _reference(outcome) | kept
            return SUCCESS
        if outcome.code in _CREDIT_NOT_DONE:
            return await self._reverse_debit(payment, code="U68", raw_code="BT")
        return DEEMED

    async def _reverse_debit(self, payment: Payment, *, code: str, raw_code: str) -> Verdict:
        """Ask the remitter to give the money back. Without its word the file says RR."""
        payment.verdict = Verdict(Status.PENDING, code, raw_code)
        await self._enter(payment, Stage.REVERSING_DEBIT)
        request = messages.reversal_request(payment, leg="DEBIT", code=code[:3])
        limit = self._timers.reversal_seconds
        outcome = await self._ask(payment.remitter, request, limit)
        is_back = isinstance(outcome, Answered) and outcome.code in _DEBIT_NOT_STANDING
        return failure(code, raw_code if is_back else "RR")

    async def _announce(self, payment: Payment) -> None:
        """Tell both PSPs. The initiator hears first; neither waits for the other's Ack."""
        teller = self._members[payment.initiator]
        telling = [teller.tell(messages.final_answer(payment))]
        if _behaviour(payment).is_final_doubled:
            telling.append(teller.tell(messages.final_answer(payment)))
        if payment.is_resolved:
            telling.append(self._confirm(payment))
        await asyncio.gather(*telling)

    async def _confirm(self, payment: Payment) -> bool:
        request = messages.confirmation(payment)
        outcome = await self._ask(payment.other_psp, request, self._timers.leg_seconds)
        return isinstance(outcome, Answered)

    async def _ask(self, org_id: str, request: codec.Element, limit: float) -> Outcome:
        return await self._members[org_id].ask(request, limit_seconds=limit)

    async def _enter(self, payment: Payment, stage: Stage, *entries: Entry) -> None:
        payment.stage = stage
        if payment.is_final:
            payment.completed_at = clock.iso(clock.now())
        await self._journal.save(payment, *entries)


def _entries(payment: Payment) -> list[Entry]:
    """Return what the end of a payment makes the banks owe."""
    if payment.verdict.status is Status.FAILURE:
        if not payment.credit_message_id:
            return []
        return [Entry(Kind.DEBIT_REVERSAL, payment.remitter, -payment.amount_paise)]
    return [Entry(Kind.CREDIT, payment.beneficiary, -payment.amount_paise)]


def _behaviour(payment: Payment) -> magic.Behaviour:
    """Return how the payee behaves: the magic is in payments, not in money that goes back."""
    if payment.kind is PaymentKind.REFUND:
        return magic.Behaviour()
    found = magic.behaviour(payment.payee_address, payment.amount_paise)
    return found or magic.Behaviour()


def _reference(outcome: Answered) -> dict[str, str]:
    found = outcome.envelope.root.find("Resp/Ref")
    return {} if found is None else codec.attributes(found)


def _account(party: codec.Element) -> tuple[str, str]:
    return codec.account_detail(party, "IFSC"), codec.account_detail(party, "ACNUM")
