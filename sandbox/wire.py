"""The way to the bank: requests and answers as signed POSTs, with the faults that are ordered."""

import asyncio
import copy
import enum
import ssl
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox import clock, codec, ids, world
from sandbox.codec import Envelope
from sandbox.connections import Connections
from sandbox.faults import Action, Direction, Fault, Faults
from sandbox.journal import NO_ACK, Journal
from sandbox.member import Answered, NotAcked, Outcome, Silent
from sandbox.timers import Timers

_CLOSED_MAX = 20_000


class Closed(enum.StrEnum):
    """Why an exchange takes no answer any more; the code that a second one is refused with."""

    LATE = "U70"
    ANSWERED = "U35"


class Exchanges:
    """The requests that wait for an answer, and those that recently stopped waiting."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[Envelope, asyncio.Future[Envelope]]] = {}
        self._closed: OrderedDict[str, Closed] = OrderedDict()

    def open(self, request: Envelope) -> asyncio.Future[Envelope]:
        """Wait for the answer to this request."""
        future: asyncio.Future[Envelope] = asyncio.get_running_loop().create_future()
        self._open[request.message_id] = (request, future)
        return future

    def close(self, message_id: str, reason: Closed) -> None:
        """Wait no longer: an answer that still comes is refused for this reason."""
        self._open.pop(message_id, None)
        self._closed[message_id] = reason
        if len(self._closed) > _CLOSED_MAX:
            self._closed.popitem(last=False)

    def request_of(self, answer: Envelope) -> Envelope | None:
        """Return the waiting request that this message answers; None if there is none."""
        found = self._open.get(answer.request_message_id)
        if found is None or found[1].done():
            return None
        request = found[0]
        fits = request.transaction_id == answer.transaction_id
        return request if fits and answer.api == f"Resp{request.api[3:]}" else None

    def closed_code(self, answer: Envelope) -> str | None:
        """Return why an answer is refused; None if the request is not remembered."""
        if answer.request_message_id in self._open:
            return "U06"
        return self._closed.get(answer.request_message_id)

    def answer(self, answer: Envelope) -> None:
        """Hand an answer to whoever waits for it."""
        _, future = self._open.pop(answer.request_message_id)
        self.close(answer.request_message_id, Closed.ANSWERED)
        future.set_result(answer)


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of a POST: the HTTP status (0: no answer at all) and the Ack's code."""

    status: int
    ack: str


@dataclass(slots=True)
class RemoteMember:
    """A bank at the other end of a wire."""

    org_id: str
    url: str
    sign: Callable[[bytes], bytes]
    exchanges: Exchanges
    journal: Journal
    faults: Faults
    timers: Timers
    tls: ssl.SSLContext | None = None
    _connections: Connections = field(init=False)
    _tasks: set[asyncio.Task[str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Know the way; the connections are opened by the first messages."""
        self._connections = Connections(self.url, self.tls)

    async def ask(self, request: codec.Element, *, limit_seconds: float | None) -> Outcome:
        """Send a request and wait for its answer. The answer may come before the Ack."""
        envelope = codec.envelope(request)
        fault = self.faults.take(Direction.OUT, envelope)
        answer = self.exchanges.open(envelope)
        if fault is not None and fault.action is Action.LOSE_ACK:
            # The switch will hold the request for not taken, however fast the bank answers.
            self.exchanges.close(envelope.message_id, Closed.LATE)
        try:
            async with clock.at_most(limit_seconds):
                refusal = await self._sent(envelope, fault)
                if refusal and not answer.done():
                    self.exchanges.close(envelope.message_id, Closed.LATE)
                    return NotAcked(refusal)
                return Answered(await answer)
        except (TimeoutError, asyncio.CancelledError) as ended:
            # An answer that was acknowledged in the very moment in which the wait ended counts.
            if answer.done() and not answer.cancelled():
                return Answered(answer.result())
            self.exchanges.close(envelope.message_id, Closed.LATE)
            if isinstance(ended, TimeoutError):
                return Silent()
            raise

    async def tell(self, answer: codec.Element) -> bool:
        """Deliver an answer: the same bytes again after two and five seconds without an Ack."""
        envelope = codec.envelope(answer)
        for wait_seconds in (0.0, *self.timers.resend_after_seconds):
            if wait_seconds:
                await clock.sleep(wait_seconds)
            fault = self.faults.take(Direction.OUT, envelope)
            ack = await self._send(envelope, fault)
            if ack != NO_ACK:
                return ack == ""
        return False

    async def close(self) -> None:
        """Drop what is still being sent and close the connections."""
        for task in self._tasks:
            task.cancel()
        self._connections.close()

    async def _sent(self, envelope: Envelope, fault: Fault | None) -> str:
        """Send a request. A delayed one goes its own way: it comes, however late."""
        if fault is None or fault.action is not Action.DELAY:
            return await self._send(envelope, fault)
        task = asyncio.ensure_future(self._send(envelope, fault))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def _send(self, envelope: Envelope, fault: Fault | None) -> str:
        """Return the Ack's code: empty when positive, NO_ACK when there was none."""
        action = None if fault is None else fault.action
        if fault is not None and action is Action.DELAY:
            await clock.sleep(self.timers.scaled(fault.seconds))
        if action is Action.LOSE:
            ack = ""
        elif action is Action.UNREACHABLE:
            ack = NO_ACK
        else:
            ack = await self._deliver(envelope, action)
        name = "" if action is None else str(action)
        self.journal.note_sent(self.org_id, envelope, ack=ack, fault=name)
        return ack

    async def _deliver(self, envelope: Envelope, action: Action | None) -> str:
        body = self.signed(envelope)
        ack = await self._post(envelope, body)
        if action is Action.DUPLICATE:
            await self._post(envelope, body)
        if action is Action.REPEAT:
            await self._repeat(envelope)
        return NO_ACK if action is Action.LOSE_ACK else ack

    async def _repeat(self, envelope: Envelope) -> None:
        """Send the same content under a new message id; its answer is taken and ignored."""
        root = copy.deepcopy(envelope.root)
        head = root.find("Head")
        assert head is not None, "every message of the switch has a Head"
        head.set("msgId", ids.new_id(world.SWITCH_PREFIX))
        again = codec.envelope(root)
        if again.api.startswith("Req"):
            self.exchanges.open(again)
        ack = await self._post(again, self.signed(again))
        self.journal.note_sent(self.org_id, again, ack=ack, fault=Action.REPEAT)

    def signed(self, envelope: Envelope) -> bytes:
        """Return a message of ours as it goes out."""
        return self.sign(codec.canonical(envelope.root))

    async def post_given(self, envelope: Envelope | None, body: bytes, *, path: str) -> Sent:
        """Post a document as it is, once; note it if it is a message."""
        status, content = await self._exchange(path or _path(envelope), body)
        sent = Sent(status, _any_ack_code(content))
        if envelope is not None:
            self.journal.note_sent(self.org_id, envelope, ack=sent.ack, fault="given")
        return sent

    async def _post(self, envelope: Envelope, body: bytes) -> str:
        _, content = await self._exchange(_path(envelope), body)
        try:
            return codec.ack_code(content, envelope.api, envelope.message_id)
        except codec.MalformedError:
            return NO_ACK

    async def _exchange(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Return the HTTP status and content; 0 and nothing when there was no answer."""
        try:
            return await self._connections.post(
                path,
                body,
                connect_seconds=self.timers.ack_connect_seconds,
                read_seconds=self.timers.ack_read_seconds,
            )
        except OSError:
            return 0, b""


def _path(envelope: Envelope | None) -> str:
    assert envelope is not None, "what is no message has a path of its own"
    return f"/upi/{envelope.api}/{codec.VERSION}/urn:txnid:{envelope.transaction_id}"


def _any_ack_code(content: bytes) -> str:
    """Return the code of an Ack, whatever it says it acknowledges: a bad message has no name."""
    try:
        root = codec.parse(content)
    except codec.MalformedError:
        return NO_ACK
    if codec.local_name(root) != "Ack":
        return NO_ACK
    return root.get("err") or root.findtext("errorMessages/errorCd") or ""
