"""Another bank: PSP, issuer and beneficiary for its handles and the magic customers."""

import asyncio
from collections.abc import Awaitable, Callable

from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox import (
    clock,
    codec,
    credentials,
    directory,
    ids,
    magic,
    messages,
    parties,
    pin_page,
    world,
)
from sandbox.book import Book, Posting
from sandbox.codec import Envelope, element
from sandbox.journal import Journal
from sandbox.member import Answered, Outcome, Silent
from sandbox.own_keys import OwnKey
from sandbox.timers import Timers

_CODES_OF_DEBIT = {
    Posting.POSTED: "00", Posting.REPEATED: "00", Posting.REFUSED: "XB",
    Posting.TOO_POOR: "Z9", Posting.NO_ACCOUNT: "XH",
}  # fmt: skip
_CODES_OF_CREDIT = {
    Posting.POSTED: "00", Posting.REPEATED: "00", Posting.REFUSED: "XC",
    Posting.TOO_POOR: "LC", Posting.NO_ACCOUNT: "XI",
}  # fmt: skip
_APPROVED = ""
_UNSUPPORTED = "IR"

Handler = Callable[[Envelope], Awaitable[codec.Element | None]]


class OtherBank:
    """A member bank inside this process: asked directly, by the same messages."""

    def __init__(
        self,
        organisation: world.Organisation,
        *,
        book: Book,
        issuer_key: rsa.RSAPrivateKey,
        switch_key: Callable[[], OwnKey],
        journal: Journal,
        timers: Timers,
    ) -> None:
        self._bank = organisation
        self._book = book
        self._issuer_key = issuer_key
        self._switch_key = switch_key
        self._journal = journal
        self._timers = timers
        self._decisions: dict[str, asyncio.Future[str]] = {}
        self._handlers: dict[tuple[str, str], Handler] = {
            ("ReqAuthDetails", "PAY"): self._resolve,
            ("ReqAuthDetails", "COLLECT"): self._consent,
            ("ReqPay", "DEBIT"): self._debit,
            ("ReqPay", "CREDIT"): self._credit,
            ("ReqPay", "REVERSAL"): self._reverse,
            ("ReqTxnConfirmation", "TxnConfirmation"): self._confirm,
            ("ReqChkTxn", "ChkTxn"): self._check,
            ("ReqValAdd", "ValAdd"): self._validate,
            ("ReqListAccount", "ListAccount"): self._list_accounts,
        }

    async def ask(self, request: codec.Element, *, limit_seconds: float | None) -> Outcome:
        """Answer a request of the switch, or stay silent until its limit."""
        envelope = codec.envelope(request)
        self._journal.note_sent(self._bank.org_id, envelope, ack="")
        handler = self._handlers.get((envelope.api, envelope.type), self._refuse)
        try:
            async with clock.at_most(limit_seconds):
                answer = await handler(envelope)
                if answer is None:
                    await asyncio.get_running_loop().create_future()
        except TimeoutError:
            return Silent()
        assert answer is not None, "a silent bank is cut off by the limit or by the caller"
        answered = codec.envelope(answer)
        self._journal.note_inside(self._bank.org_id, answered)
        return Answered(answered)

    async def tell(self, answer: codec.Element) -> bool:
        """Hear how a payment of its own customer ended."""
        self._journal.note_sent(self._bank.org_id, codec.envelope(answer), ack="")
        return True

    def decide(self, transaction_id: str, code: str) -> bool:
        """Let the customer answer a collect: approve, or decline by a code. False if none waits."""
        decision = self._decisions.get(transaction_id)
        if decision is None or decision.done():
            return False
        decision.set_result(code)
        return True

    async def _resolve(self, request: Envelope) -> codec.Element | None:
        payee = _payee(request)
        person = parties.person_of(payee.get("addr", ""))
        behaviour = magic.behaviour(payee.get("addr", ""))
        code = "ZH" if person is None or behaviour is None else behaviour.psp_code
        if code or person is None:
            return self._answer(request, "FAILURE", code)
        return self._answer(request, "SUCCESS", "", parties.resolved(payee, person))

    async def _consent(self, request: Envelope) -> codec.Element | None:
        """Show a collect to the customer, and wait for what he says."""
        asked = _required(request, "Payer")
        address = asked.get("addr", "")
        person = parties.person_of(address)
        behaviour = magic.payer_behaviour(address, _paise(asked))
        is_magic = world.handle_of(address) == world.MAGIC_HANDLE
        if person is None or (is_magic and behaviour is None):
            return self._answer(request, "FAILURE", "ZH")
        if behaviour is None:
            code = await self._decision(request.transaction_id)
        elif behaviour.is_answer_silent:
            return None
        else:
            code = behaviour.answer_code
        if code != _APPROVED:
            return self._answer(request, "FAILURE", code)
        payer = parties.payer_party(person, address)
        payer.append(
            pin_page.pin_credentials(
                payer,
                transaction_id=request.transaction_id,
                amount=codec.amount_of(asked),
                payee=_payee(request).get("addr", ""),
                pin=pin_page.entered(
                    person.pin, is_wrong=behaviour is not None and behaviour.is_pin_wrong
                ),
                switch_key=self._switch_key(),
            )
        )
        payer.append(element("Amount", codec.attributes(_required(request, "Payer/Amount"))))
        return self._answer(request, "SUCCESS", "", payer)

    async def _decision(self, transaction_id: str) -> str:
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._decisions[transaction_id] = future
        try:
            return await future
        finally:
            del self._decisions[transaction_id]

    async def _debit(self, request: Envelope) -> codec.Element | None:
        payer = _required(request, "Payer")
        account = codec.account_detail(payer, "ACNUM")
        person = parties.owner_of(codec.account_detail(payer, "IFSC"), account)
        if person is None:
            return self._leg_answer(request, payer, "PAYER", "XH")
        behaviour = self._debit_behaviour(request, payer)
        if behaviour.is_debit_silent:
            return None
        code = behaviour.debit_code or self._credential_code(request, payer, person)
        if code == "00":
            posting = await self._book.debit(request.transaction_id, account, _paise(payer))
            code = _CODES_OF_DEBIT[posting]
        return self._leg_answer(request, payer, "PAYER", code)

    def _debit_behaviour(self, request: Envelope, payer: codec.Element) -> magic.PayerBehaviour:
        found = magic.payer_behaviour(payer.get("addr", ""), _paise(payer))
        if found is None or request.sub_type == "REFUND":
            return magic.PayerBehaviour()
        return found

    def _credential_code(
        self, request: Envelope, payer: codec.Element, person: world.Person
    ) -> str:
        if payer.find("Creds/Cred[@type='PreApproved']") is not None:
            return "00" if request.sub_type == "REFUND" and person.is_merchant else "XF"
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
                payer.findtext("Creds/Cred/Data") or "",
                person.pin,
                binding=binding,
                bank_code=self._bank.bank_code,
                account=person.account_number,
                issuer_key=self._issuer_key,
            )
        except credentials.BlockRefusedError:
            return "B6"
        return "00" if is_right else "ZM"

    async def _credit(self, request: Envelope) -> codec.Element | None:
        payee = _payee(request)
        behaviour = self._credit_behaviour(request, payee)
        if behaviour.is_credit_silent:
            return None
        code = behaviour.credit_code
        if not code:
            account = codec.account_detail(payee, "ACNUM")
            posting = await self._book.credit(request.transaction_id, account, _paise(payee))
            code = _CODES_OF_CREDIT[posting]
        # The money is given at once and the answer is late: what a slow bank does.
        if behaviour.credit_delay_seconds:
            await clock.sleep(self._timers.scaled(behaviour.credit_delay_seconds))
        return self._leg_answer(request, payee, "PAYEE", code)

    def _credit_behaviour(self, request: Envelope, payee: codec.Element) -> magic.Behaviour:
        if request.sub_type == "REFUND":
            return magic.Behaviour()
        found = magic.behaviour(payee.get("addr", ""), _paise(payee))
        return found or magic.Behaviour()

    async def _reverse(self, request: Envelope) -> codec.Element | None:
        if request.sub_type == "DEBIT":
            code = await self._book.reverse_debit(request.original_id)
            return self._leg_answer(request, _required(request, "Payer"), "PAYER", code)
        payee = _payee(request)
        behaviour = magic.behaviour(payee.get("addr", ""), _paise(payee))
        ordered = None if behaviour is None else behaviour.reversal_code
        if ordered is not None:
            code = ordered
        else:
            code = await self._book.reverse_credit(request.original_id)
        return self._leg_answer(request, payee, "PAYEE", code) if code else None

    async def _confirm(self, request: Envelope) -> codec.Element | None:
        return self._answer(request, "SUCCESS", "")

    async def _refuse(self, request: Envelope) -> codec.Element | None:
        return self._answer(request, "FAILURE", _UNSUPPORTED)

    async def _check(self, request: Envelope) -> codec.Element | None:
        code = await self._book.status(request.sub_type, request.original_id)
        return self._answer(request, "SUCCESS" if code == "00" else "FAILURE", code.strip("0"))

    async def _validate(self, request: Envelope) -> codec.Element | None:
        address = _required(request, "Payee").get("addr", "")
        person = parties.person_of(address)
        if person is None or magic.behaviour(address) is None:
            return self._answer(request, "FAILURE", "ZH")
        answer = self._answer(request, "SUCCESS", "")
        directory.describe(_required(codec.envelope(answer), "Resp"), person)
        return answer

    async def _list_accounts(self, request: Envelope) -> codec.Element | None:
        mobile = _required(request, "Link").get("value", "")
        found = directory.accounts_of(mobile, self._bank)
        if found is None:
            return self._answer(request, "FAILURE", "XH")
        return self._answer(request, "SUCCESS", "", found)

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
            codec.head(self._bank.org_id, ids.new_id(self._bank.prefix)),
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
