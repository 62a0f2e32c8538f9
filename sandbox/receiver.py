"""The switch's front door: verify, acknowledge, and hand on what the bank sends."""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from sandbox import clock, codec, gate, intake, messages, world
from sandbox.accounts import AccountRequests
from sandbox.codec import Envelope, MalformedError
from sandbox.connections import Reply
from sandbox.faults import Action, Direction, Fault, Faults
from sandbox.journal import Admission, Journal
from sandbox.keys import KeyFiles, KeyMissingError
from sandbox.machine import Machine
from sandbox.member import Member
from sandbox.meta import MetaRequests
from sandbox.payment import Payment
from sandbox.signature import SignatureError
from sandbox.timers import Timers
from sandbox.wire import Exchanges
from sandbox.wire_door import Post

_PATH = re.compile(r"/upi/(\w{1,40})/[12]\.0/urn:txnid:([A-Za-z0-9]{1,35})")
# Of the time for a status check, the part the switch may wait for a payment in flight.
_CHECK_WAIT_SHARE = 0.8


class RefusedError(Exception):
    """The message is refused with a negative Ack."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Incoming:
    """A verified message and the digest of its bytes."""

    envelope: Envelope
    digest: str


@dataclass(slots=True)
class Receiver:
    """Judges, journals and acknowledges each message; what it asks for happens after its Ack."""

    keys: KeyFiles
    exchanges: Exchanges
    journal: Journal
    faults: Faults
    timers: Timers
    machine: Machine
    accounts: AccountRequests
    meta: MetaRequests
    bank: Member
    _tasks: set[asyncio.Future[object]] = field(default_factory=set)

    async def handle(self, post: Post) -> Reply | None:
        """Answer one POST with an Ack; None when a fault breaks the connection instead."""
        found = _PATH.fullmatch(post.path)
        if post.method != "POST" or found is None:
            return Reply(HTTPStatus.NOT_FOUND, b"")
        api, transaction_id = found.groups()
        try:
            incoming = self._verified(post.body, api=api, transaction_id=transaction_id)
        except RefusedError as refusal:
            negative = codec.ack(api, _message_id(post.body), refusal.code, refusal.detail)
            return Reply(HTTPStatus.OK, negative)
        ack = await self._met(incoming)
        return None if ack is None else Reply(HTTPStatus.OK, ack)

    async def close(self) -> None:
        """Drop what still runs; the journal holds what matters."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _verified(self, body: bytes, *, api: str, transaction_id: str) -> Incoming:
        try:
            envelope = codec.envelope(codec.parse(body))
        except MalformedError as error:
            raise RefusedError("U05", str(error)) from error
        if envelope.org_id != world.BANK:
            raise RefusedError("U52", "no such member")
        try:
            self.keys.verifier(envelope.org_id).verify(envelope.root)
        except (KeyMissingError, SignatureError) as error:
            raise RefusedError("U15", str(error)) from error
        if (envelope.api, envelope.transaction_id) != (api, transaction_id):
            raise RefusedError("U06", "the address names another message")
        if code := gate.refusal_of_head(envelope):
            raise RefusedError(code)
        return Incoming(envelope, hashlib.sha256(body).hexdigest())

    async def _met(self, incoming: Incoming) -> bytes | None:
        """Return the Ack of a verified message; None if a fault breaks the connection."""
        envelope = incoming.envelope
        fault = self.faults.take(Direction.IN, envelope)
        action = None if fault is None else fault.action
        if action is Action.UNREACHABLE:
            return None
        if fault is not None and action is Action.NACK:
            self._refuse(incoming, fault.code, action)
            return codec.ack(envelope.api, envelope.message_id, fault.code, "ordered")
        try:
            await self._take(incoming, fault)
        except RefusedError as refusal:
            self._refuse(incoming, refusal.code, action)
            return codec.ack(envelope.api, envelope.message_id, refusal.code, refusal.detail)
        if action is Action.LOSE_ACK:
            return None
        return codec.ack(envelope.api, envelope.message_id)

    def _refuse(self, incoming: Incoming, code: str, action: Action | None) -> None:
        name = "" if action is None else str(action)
        self.journal.note_refused(incoming.envelope, digest=incoming.digest, ack=code, fault=name)

    async def _take(self, incoming: Incoming, fault: Fault | None) -> None:
        """Journal a message and do what it asks, unless a fault loses it or makes it late."""
        envelope = incoming.envelope
        action = None if fault is None else fault.action
        is_answer = envelope.api.startswith("Resp")
        if action is Action.LOSE:
            await self._admit(incoming, fault=Action.LOSE)
        elif fault is not None and action is Action.DELAY:
            self._spawn(self._late(incoming, fault.seconds))
        elif is_answer:
            await self._take_answer(incoming)
        else:
            await self._take_request(incoming)
        if action is Action.DUPLICATE and is_answer:
            await self._take_answer(incoming)

    async def _take_answer(self, incoming: Incoming) -> None:
        answer = incoming.envelope
        request = self.exchanges.request_of(answer)
        if request is None:
            await self._refuse_late(incoming)
            return
        if code := gate.refusal_of_answer(answer, request):
            raise RefusedError(code)
        # Handed over before it is journalled, so that no timer can end between the two. What the
        # machine then does is journalled after it: the journal keeps its order.
        self.exchanges.answer(answer)
        await self._admit(incoming)

    async def _refuse_late(self, incoming: Incoming) -> None:
        """Acknowledge an answer that was taken before; raise for one that is late or unknown."""
        answer = incoming.envelope
        code = self.exchanges.closed_code(answer)
        if code is None:
            code = "U70" if await self.journal.was_sent(answer.request_message_id) else "U04"
        if not await self.journal.is_taken(answer, digest=incoming.digest):
            raise RefusedError(code)

    async def _take_request(self, incoming: Incoming) -> None:
        request = incoming.envelope
        act: Callable[[Envelope], Awaitable[object]]
        if gate.is_payment(request):
            await self._take_payment(incoming)
            return
        if request.api == "ReqChkTxn":
            code, act = gate.refusal_of_check(request), self._check
        elif request.api == "ReqHbt":
            code, act = "", self._beat
        elif gate.is_account_request(request.api):
            code, act = gate.refusal_of_account_request(request), self.accounts.relay
        elif gate.is_meta(request.api):
            code, act = gate.refusal_of_meta(request), self.meta.answer
        else:
            code, act = "U10", self._beat
        if code:
            raise RefusedError(code)
        if await self._admit(incoming):
            self._spawn(act(request))

    async def _take_payment(self, incoming: Incoming) -> None:
        if code := gate.refusal_of_payment(incoming.envelope):
            raise RefusedError(code)
        payment = intake.payment_of(incoming.envelope)
        if await self._admit(incoming, payment=payment):
            self.machine.start(payment)

    async def _admit(
        self, incoming: Incoming, *, payment: Payment | None = None, fault: str = ""
    ) -> bool:
        """Journal a message. False if it is known: then its first Ack is simply said again."""
        admission = await self.journal.admit(
            incoming.envelope, digest=incoming.digest, payment=payment, fault=fault
        )
        if admission is Admission.DUPLICATE:
            raise RefusedError("U01")
        return admission is Admission.NEW

    async def _late(self, incoming: Incoming, seconds: float) -> None:
        await clock.sleep(self.timers.scaled(seconds))
        is_answer = incoming.envelope.api.startswith("Resp")
        try:
            await (self._take_answer if is_answer else self._take_request)(incoming)
        except RefusedError as refusal:
            self._refuse(incoming, refusal.code, Action.DELAY)

    async def _check(self, request: Envelope) -> None:
        wait_seconds = self.timers.check_seconds * _CHECK_WAIT_SHARE
        limit = clock.at_most(wait_seconds)
        payment = await self.machine.payment(request.original_id, limit=limit)
        if payment is not None and request.org_id not in payment.parties():
            payment = None
        await self.bank.tell(messages.check_answer(request, payment))

    async def _beat(self, request: Envelope) -> None:
        await self.bank.tell(messages.heartbeat_answer(request))

    def _spawn(self, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _message_id(body: bytes) -> str:
    """Return the message id of a refused message, so that its sender can place the Ack."""
    try:
        return codec.envelope(codec.parse(body)).message_id
    except MalformedError:
        return ""
