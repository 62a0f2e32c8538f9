"""Meta messages: what the switch passes on to another member, and what it answers itself."""

import copy
from collections.abc import Awaitable, Callable, Mapping

from sandbox import clock, codec, ids, library, listings, messages, parties, world
from sandbox.codec import Envelope, element
from sandbox.journal import NO_ACK, Journal
from sandbox.keys import KeyFiles
from sandbox.machine import Machine
from sandbox.member import Answered, Member, NotAcked, Outcome
from sandbox.merchants import Merchants
from sandbox.timers import Timers

_RELAYED_PARTS = {
    "ReqValAdd": ("Txn", "Payer", "Payee"),
    "ReqListAccount": ("Txn", "Payer", "Link"),
}
_OWN_ATTRIBUTES = {"reqMsgId", "result", "errCode"}
_NOT_REGISTERED = "U63"
_NO_PSP_ANSWER, _NO_ISSUER_ANSWER = "U27", "U28"
_PENDING_ATTRIBUTES = ("id", "note", "refId", "refUrl", "ts", "type")


class MetaRequests:
    """Answers the requests of a PSP that move no money."""

    def __init__(
        self,
        *,
        members: Mapping[str, Member],
        keys: KeyFiles,
        journal: Journal,
        merchants: Merchants,
        machine: Machine,
        timers: Timers,
    ) -> None:
        self._members = members
        self._keys = keys
        self._journal = journal
        self._merchants = merchants
        self._machine = machine
        self._timers = timers
        self._answers: dict[str, Callable[[Envelope], Awaitable[codec.Element]]] = {
            "ReqValAdd": self._relayed,
            "ReqListAccount": self._relayed,
            "ReqListKeys": self._list_keys,
            "ReqListPsp": self._list_psps,
            "ReqListAccPvd": self._list_providers,
            "ReqListVae": self._list_merchants,
            "ReqManageVae": self._manage_merchants,
            "ReqPendingMsg": self._list_pending,
        }

    async def answer(self, request: Envelope) -> None:
        """Find the answer and tell the PSP that asked."""
        answer = await self._answers[request.api](request)
        await self._members[request.org_id].tell(answer)

    async def validate(self, asker: world.Organisation, address: str) -> Outcome:
        """Let another bank ask who is behind an address."""
        person = next(each for each in world.PEOPLE if each.org_id == asker.org_id)
        payer = parties.payer_party(person)
        payee = {"addr": address, "seqNum": "1", "type": "PERSON", "code": world.PERSON_CODE}
        return await self._asked(asker, "ValAdd", _named(payer), element("Payee", payee))

    async def list_accounts(self, asker: world.Organisation, *, mobile: str, ifsc: str) -> Outcome:
        """Let another bank ask an account provider for the accounts of a mobile number."""
        person = next(each for each in world.PEOPLE if each.org_id == asker.org_id)
        payer = parties.payer_party(person)
        for tag in payer.iterfind("Device/Tag[@name='MOBILE']"):
            tag.set("value", mobile)
        for name, value in (("IFSC", ifsc), ("ACTYPE", "DEFAULT"), ("ACNUM", "0")):
            for detail in payer.iterfind(f"Ac/Detail[@name='{name}']"):
                detail.set("value", value)
        link = element("Link", {"type": "MOBILE", "value": mobile})
        return await self._asked(asker, "ListAccount", payer, link)

    async def _asked(self, asker: world.Organisation, kind: str, *parts: codec.Element) -> Outcome:
        number = ids.new_id(asker.prefix)
        transaction = {
            "id": number,
            "note": kind,
            "refId": number,
            "refUrl": f"https://{asker.handles[0]}.example/",
            "ts": clock.iso(clock.now()),
            "type": kind,
            "initiationMode": "00",
            "purpose": "00",
        }
        root = codec.message(
            f"Req{kind}", codec.head(asker.org_id, number), element("Txn", transaction), *parts
        )
        request = codec.envelope(root)
        self._journal.note_inside(asker.org_id, request)
        return await self._ask(request)

    async def _ask(self, request: Envelope) -> Outcome:
        """Pass a request on to the member whom it is for."""
        parts = [
            copy.deepcopy(part)
            for name in _RELAYED_PARTS[request.api]
            if (part := request.root.find(name)) is not None
        ]
        member = _addressee(request)
        if member is None:
            return NotAcked(NO_ACK)
        is_address = request.api == "ReqValAdd"
        limit = self._timers.validation_seconds if is_address else self._timers.leg_seconds
        relayed = messages.relayed_request(request, parts)
        return await self._members[member.org_id].ask(relayed, limit_seconds=limit)

    async def _relayed(self, request: Envelope) -> codec.Element:
        outcome = await self._ask(request)
        if not isinstance(outcome, Answered):
            return messages.relayed_answer(
                request, result="FAILURE", code=_silence(request, outcome)
            )
        found = outcome.envelope
        accounts = found.root.find("AccountList")
        made = messages.relayed_answer(
            request,
            result=found.result,
            code=found.code,
            parts=[] if accounts is None else [accounts],
        )
        response, told = made.find("Resp"), found.root.find("Resp")
        assert response is not None, "every answer has a Resp"
        assert told is not None, "the gate judged the answer"
        for name, value in codec.attributes(told).items():
            if name not in _OWN_ATTRIBUTES:
                response.set(name, value)
        response.extend(copy.deepcopy(child) for child in told)
        return made

    async def _list_keys(self, request: Envelope) -> codec.Element:
        if request.type == "GetToken":
            return self._register(request)
        list_of = listings.psp_keys if request.type == "ListPSPKeys" else listings.keys
        return _answered(request, list_of(self._keys))

    def _register(self, request: Envelope) -> codec.Element:
        data = request.root.findtext("Creds/Cred/Data") or ""
        device, *_, challenge = data.split("|")
        keys = self._keys.credential.accepted()
        if not any(library.is_challenge_of(device, challenge, key.private) for key in keys):
            return messages.relayed_answer(request, result="FAILURE", code=_NOT_REGISTERED)
        return _answered(request, listings.token(data))

    async def _list_psps(self, request: Envelope) -> codec.Element:
        return _answered(request, listings.psps())

    async def _list_providers(self, request: Envelope) -> codec.Element:
        return _answered(request, listings.providers())

    async def _list_merchants(self, request: Envelope) -> codec.Element:
        return _answered(request, element("VaeList", None, *await self._merchants.all()))

    async def _manage_merchants(self, request: Envelope) -> codec.Element:
        refs = [
            await self._merchants.change(merchant, org_id=request.org_id)
            for merchant in request.root.iterfind("VaeList/Vae")
        ]
        is_done = all(ref.get("result") == "SUCCESS" for ref in refs)
        code = "" if is_done else "U72"
        made = messages.relayed_answer(
            request, result="SUCCESS" if is_done else "FAILURE", code=code
        )
        response = made.find("Resp")
        assert response is not None, "every answer has a Resp"
        response.extend(refs)
        # This one answer has its Txn before its Resp.
        made.append(response)
        return made

    async def _list_pending(self, request: Envelope) -> codec.Element:
        asked = request.root.find("ReqMsg")
        address = "" if asked is None else asked.get("addr", "")
        found = [
            element(
                "PenTxn",
                {
                    name: payment.transaction[name]
                    for name in _PENDING_ATTRIBUTES
                    if payment.transaction.get(name)
                },
            )
            for payment in self._machine.collects_of(address)
        ]
        return _answered(request, element("RespMsg", None, *found))


def _answered(request: Envelope, part: codec.Element) -> codec.Element:
    return messages.relayed_answer(request, result="SUCCESS", code="", parts=[part])


def _addressee(request: Envelope) -> world.Organisation | None:
    payer, payee = request.root.find("Payer"), request.root.find("Payee")
    if payee is not None:
        return world.member_of_handle(world.handle_of(payee.get("addr", "")))
    assert payer is not None, "the gate judged the request"
    return world.member_of_ifsc(codec.account_detail(payer, "IFSC"))


def _silence(request: Envelope, outcome: Outcome) -> str:
    if isinstance(outcome, NotAcked) and outcome.code != NO_ACK:
        return "U99"
    if _addressee(request) is None:
        return _NO_ISSUER_ANSWER
    if isinstance(outcome, NotAcked):
        return "U97"
    return _NO_PSP_ANSWER if request.api == "ReqValAdd" else _NO_ISSUER_ANSWER


def _named(payer: codec.Element) -> codec.Element:
    """Keep of a payer only who he is: a question about an address names no account."""
    for name in ("Device", "Ac"):
        for part in payer.findall(name):
            payer.remove(part)
    return payer
