"""Account requests (OTP, PIN, balance): passed on to the issuer, credentials translated."""

import copy
from collections.abc import Mapping

from sandbox import codec, gate, messages, world
from sandbox.codec import Envelope
from sandbox.credentials import IssuerBinding
from sandbox.journal import NO_ACK
from sandbox.member import Answered, Member, NotAcked
from sandbox.timers import Timers
from sandbox.translation import MismatchError, Translator

_RELAYED_PARTS = ("Txn", "Payer", "RegDetails")


class AccountRequests:
    """Relays ReqOtp, ReqRegMob, ReqSetCre and ReqBalEnq, and their answers back."""

    def __init__(
        self, *, members: Mapping[str, Member], translator: Translator, timers: Timers
    ) -> None:
        self._members = members
        self._translator = translator
        self._timers = timers

    async def relay(self, request: Envelope) -> None:
        """Ask the issuer and tell the PSP that asked."""
        answer = await self._answer(request)
        await self._members[request.org_id].tell(answer)

    async def _answer(self, request: Envelope) -> codec.Element:
        payer = request.root.find("Payer")
        assert payer is not None, "the gate judged the request"
        issuer = world.member_of_ifsc(codec.account_detail(payer, "IFSC"))
        if issuer is None:
            return messages.relayed_answer(request, result="FAILURE", code="U28")
        try:
            relayed = self._translated(request, payer)
        except MismatchError as mismatch:
            return messages.relayed_answer(request, result="FAILURE", code=mismatch.code)
        member = self._members[issuer.org_id]
        outcome = await member.ask(relayed, limit_seconds=self._timers.leg_seconds)
        match outcome:
            case Answered():
                return messages.relayed_answer(
                    request,
                    result=outcome.envelope.result,
                    code=outcome.envelope.code,
                    parts=outcome.envelope.root.findall("Payer"),
                )
            case NotAcked():
                code = "U97" if outcome.code == NO_ACK else "U99"
                return messages.relayed_answer(request, result="FAILURE", code=code)
            case _:
                return messages.relayed_answer(request, result="FAILURE", code="U28")

    def _translated(self, request: Envelope, payer: codec.Element) -> codec.Element:
        parts = [
            copy.deepcopy(part)
            for name in _RELAYED_PARTS
            if (part := request.root.find(name)) is not None
        ]
        relayed = messages.relayed_request(request, parts)
        # Neither an amount nor a payee belongs to these messages: both are empty in the MAC.
        binding = IssuerBinding(
            request.api, request.type, request.transaction_id, "", payer.get("addr", ""), ""
        )
        for data in gate.blocks_of(relayed):
            block = data.text or ""
            made, key_index = self._translator.translate(block, binding=binding, payer=payer)
            data.text = made
            data.set("ki", key_index)
        return relayed
