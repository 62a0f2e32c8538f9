"""What the core-banking host does with a message, and the answer that it writes."""

from collections.abc import Mapping

from sandbox.host_book import HostBook
from sandbox.host_codec import PIN_BLOCK, Message
from sandbox.host_faults import NOT_DONE, Fault, Kind
from sandbox.host_request import MOVING, Answer, Processing, Request, Response

SIGN_ON, SIGN_OFF, ECHO = "001", "002", "301"
ANSWER_MTI = {
    "0800": "0810", "0200": "0210", "0201": "0210", "0420": "0430", "0421": "0430",
}  # fmt: skip
_ACCOUNTS = ("102", "103")
_ECHOED = (3, 4, 7, 11, 12, 13, 32, 37, 41, 42, 48, 49, 70, 90, 102, 103)
_REVERSALS = {"0420", "0421"}
# ISO 8583 DE54: account type, amount type "available", currency, sign, amount.
_BALANCE = "1002356{sign}{paise:012}"


class Desk:
    """Judges one message after the other. Where it came from is the link's business."""

    def __init__(self, book: HostBook) -> None:
        self._book = book

    async def answer(
        self, message: Message, *, is_signed_on: bool, fault: Fault | None
    ) -> tuple[str, dict[str, str]]:
        """Return the answer's MTI and fields; what was asked for is done, or declined."""
        if message.mti == "0800":
            said = await self._book.refuse(_of_network(message.get(70)))
        elif not is_signed_on:
            said = await self._book.refuse(Response.NOT_SIGNED_ON)
        else:
            said = await self._financial(message, fault)
        return ANSWER_MTI[message.mti], _fields(message, said)

    async def _financial(self, message: Message, fault: Fault | None) -> Answer:
        request = Request.read(message)
        if isinstance(request, Response):
            return await self._book.refuse(request)
        if fault is not None and fault.kind is Kind.UNKNOWN_CODE and not fault.is_done:
            return await self._book.refuse(fault.code)
        if fault is not None and fault.kind in NOT_DONE:
            return await self._book.refuse(Response.NO_ACTION)
        if fault is not None and fault.kind is Kind.PARTIAL and message.mti not in _REVERSALS:
            request = request.of(request.paise // 2)
        return await self._done(message, request)

    async def _done(self, message: Message, request: Request) -> Answer:
        if message.mti in _REVERSALS:
            if request.original is None:
                return await self._book.refuse(Response.FORMAT)
            return await self._book.undo(request)
        if request.processing is Processing.ENQUIRY:
            return await self._book.enquire(request)
        if request.processing is Processing.BALANCE:
            return await self._book.balance(request)
        assert request.processing in MOVING, "there is no other processing code"
        return await self._book.post(request)


def spoilt(fields: Mapping[str, str], fault: Fault) -> dict[str, str]:
    """Return an answer's fields as a fault makes them."""
    changed = dict(fields)
    match fault.kind:
        case Kind.CROSSED_STAN:
            changed["11"] = f"{(int(fields['11']) + 500_000) % 1_000_000:06}"
        case Kind.OTHER_AMOUNT if "4" in fields:
            changed["4"] = f"{int(fields['4']) // 2:012}"
        case Kind.OTHER_RRN if "37" in fields:
            changed["37"] = fields["37"][::-1]
        case Kind.OTHER_ACCOUNT:
            changed |= {key: fields[key][::-1] for key in _ACCOUNTS if key in fields}
        case Kind.UNKNOWN_CODE:
            changed["39"] = fault.code
        case Kind.CONTROL_BYTES:
            changed["44"] = "\x00\x1c\r\n\x1b[31m"
        case Kind.PIN_BLOCK:
            changed[PIN_BLOCK] = "0123456789ABCDEF"
        case _:
            pass
    return changed


def _of_network(code: str) -> str:
    return Response.DONE if code in {SIGN_ON, SIGN_OFF, ECHO} else Response.INVALID


def _fields(message: Message, said: Answer) -> dict[str, str]:
    fields = {str(number): message.get(number) for number in _ECHOED if message.get(number)}
    if message.mti == "0800":
        return fields | {"39": said.response}
    fields |= {"15": said.business_date[5:].replace("-", ""), "39": said.response}
    if said.paise is not None:
        fields["4"] = f"{said.paise:012}"
    if said.approval:
        fields["38"] = said.approval
    if said.original_response:
        fields["44"] = said.original_response
    if said.balance_paise is not None:
        sign = "D" if said.balance_paise < 0 else "C"
        fields["54"] = _BALANCE.format(sign=sign, paise=abs(said.balance_paise))
    return fields
