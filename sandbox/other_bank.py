"""The other bank: payee's PSP, issuer and beneficiary for @smplbank and the magic payees."""

import asyncio
from collections.abc import Awaitable, Callable

from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox import codec, credentials, ids, magic, messages, parties, world
from sandbox.book import Book, Posting
from sandbox.codec import Envelope, element
from sandbox.journal import Journal
from sandbox.member import Answered, Outcome, Silent
from sandbox.timers import Timers

_CODES_OF_DEBIT = {
    Posting.POSTED: "00", Posting.REPEATED: "00", Posting.REFUSED: "XB",
    Posting.TOO_POOR: "Z9", Posting.NO_ACCOUNT: "XH",
}  # fmt: skip
_CODES_OF_CREDIT = {
    Posting.POSTED: "00", Posting.REPEATED: "00", Posting.REFUSED: "XC",
    Posting.TOO_POOR: "LC", Posting.NO_ACCOUNT: "XI",
}  # fmt: skip

_BANK = next(each for each in world.MEMBERS if each.org_id == world.OTHER_BANK)

Handler = Callable[[Envelope], Awaitable[codec.Element | None]]


class OtherBank:
    """A member bank inside this process: asked directly, by the same messages."""

    def __init__(
        self,
        *,
        book: Book,
        issuer_key: rsa.RSAPrivateKey,
        journal: Journal,
        timers: Timers,
    ) -> None:
        self._book = book
        self._issuer_key = issuer_key
        self._journal = journal
        self._timers = timers
        self._handlers: dict[tuple[str, str], Handler] = {
            ("ReqAuthDetails", "PAY"): self._resolve,
            ("ReqPay", "DEBIT"): self._debit,
            ("ReqPay", "CREDIT"): self._credit,
            ("ReqPay", "REVERSAL"): self._reverse,
            ("ReqTxnConfirmation", "TxnConfirmation"): self._confirm,
            ("ReqChkTxn", "ChkTxn"): self._check,
        }

    async def ask(self, request: codec.Element, *, limit_seconds: float) -> Outcome:
        """Answer a request of the switch, or stay silent until its limit."""
        envelope = codec.envelope(request)
        self._journal.note_sent(world.OTHER_BANK, envelope, ack="")
        try:
            async with asyncio.timeout(limit_seconds):
                answer = await self._handlers[envelope.api, envelope.type](envelope)
                if answer is None:
                    await asyncio.sleep(limit_seconds * 2)
        except TimeoutError:
            return Silent()
        assert answer is not None, "a silent bank has run into the limit"
        answered = codec.envelope(answer)
        self._journal.note_inside(world.OTHER_BANK, answered)
        return Answered(answered)

    async def tell(self, answer: codec.Element) -> bool:
        """Hear how a payment of its own customer ended."""
        self._journal.note_sent(world.OTHER_BANK, codec.envelope(answer), ack="")
        return True

    async def _resolve(self, request: Envelope) -> codec.Element | None:
        payee = _payee(request)
        person = parties.person_of(payee.get("addr", ""))
        behaviour = magic.behaviour(payee.get("addr", ""))
        code = "ZH" if person is None or behaviour is None else behaviour.psp_code
        if code or person is None:
            return self._answer(request, "FAILURE", code)
        return self._answer(request, "SUCCESS", "", parties.resolved(payee, person))

    async def _debit(self, request: Envelope) -> codec.Element | None:
        payer = _required(request, "Payer")
        account = codec.account_detail(payer, "ACNUM")
        person = next((each for each in world.PEOPLE if each.account_number == account), None)
        if person is None:
            return self._leg_answer(request, payer, "PAYER", "XH")
        block = payer.findtext("Creds/Cred/Data") or ""
        if (code := self._pin_code(request, payer, person, block)) == "00":
            posting = await self._book.debit(request.transaction_id, account, _paise(payer))
            code = _CODES_OF_DEBIT[posting]
        return self._leg_answer(request, payer, "PAYER", code)

    def _pin_code(
        self, request: Envelope, payer: codec.Element, person: world.Person, block: str
    ) -> str:
        binding = credentials.IssuerBinding(
            request.api,
            request.type,
            request.transaction_id,
            codec.amount_of(payer),
            payer.get("addr", ""),
            _payee(request).get("addr", ""),
        )
        try:
            is_right = credentials.check_issuer_block(
                block,
                person.pin,
                binding=binding,
                bank_code=_BANK.bank_code,
                account=person.account_number,
                issuer_key=self._issuer_key,
            )
        except credentials.BlockRefusedError:
            return "B6"
        return "00" if is_right else "ZM"

    async def _credit(self, request: Envelope) -> codec.Element | None:
        payee = _payee(request)
        behaviour = magic.behaviour(payee.get("addr", ""))
        assert behaviour is not None, "the address was resolved before it is credited"
        if behaviour.is_credit_silent:
            return None
        code = behaviour.credit_code
        if not code:
            account = codec.account_detail(payee, "ACNUM")
            posting = await self._book.credit(request.transaction_id, account, _paise(payee))
            code = _CODES_OF_CREDIT[posting]
        # The money is given at once and the answer is late: what a slow bank does.
        if behaviour.credit_delay_seconds:
            await asyncio.sleep(self._timers.scaled(behaviour.credit_delay_seconds))
        return self._leg_answer(request, payee, "PAYEE", code)

    async def _reverse(self, request: Envelope) -> codec.Element | None:
        if request.sub_type == "DEBIT":
            code = await self._book.reverse_debit(request.original_id)
            return self._leg_answer(request, _required(request, "Payer"), "PAYER", code)
        payee = _payee(request)
        behaviour = magic.behaviour(payee.get("addr", ""))
        ordered = None if behaviour is None else behaviour.reversal_code
        if ordered is not None:
            code = ordered
        else:
            code = await self._book.reverse_credit(request.original_id)
        return self._leg_answer(request, payee, "PAYEE", code) if code else None

    async def _confirm(self, request: Envelope) -> codec.Element | None:
        return self._answer(request, "SUCCESS", "")

    async def _check(self, request: Envelope) -> codec.Element | None:
        code = await self._book.status(request.sub_type, request.original_id)
        return self._answer(request, "SUCCESS" if code == "00" else "FAILURE", code.strip("0"))

    def _leg_answer(
        self, request: Envelope, party: codec.Element, kind: str, code: str
    ) -> codec.Element:
        is_done = code == "00"
        amount = codec.amount_of(party)
        values = messages.reference(
            kind,
            party,
            amount=amount,
            settled=amount if is_done else "0.00",
            approval=ids.new_approval() if is_done else "000000",
            code=code,
        )
        if request.type == "REVERSAL":
            values["reversalRespCode"] = code
        result, error = ("SUCCESS", "") if is_done else ("FAILURE", code)
        return self._answer(request, result, error, response=element("Ref", values))

    def _answer(
        self,
        request: Envelope,
        result: str,
        code: str,
        *more: codec.Element,
        response: codec.Element | None = None,
    ) -> codec.Element:
        answer = element(
            "Resp", {"reqMsgId": request.message_id, "result": result, "errCode": code}
        )
        if response is not None:
            answer.append(response)
        attributes = codec.attributes(_required(request, "Txn"))
        return codec.message(
            request.api.replace("Req", "Resp", 1),
            codec.head(world.OTHER_BANK, ids.new_id(_BANK.prefix)),
            element("Txn", attributes),
            answer,
            *more,
        )


def _required(request: Envelope, name: str) -> codec.Element:
    found = request.root.find(name)
    assert found is not None, f"the switch always sends {name}"
    return found


def _payee(request: Envelope) -> codec.Element:
    return _required(request, "Payees/Payee")


def _paise(party: codec.Element) -> int:
    amount = codec.paise(codec.amount_of(party))
    assert amount is not None, "the switch judged the amount"
    return amount
