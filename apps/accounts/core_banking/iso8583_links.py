"""The links of one process: requests go out in batches, and answers find who waits for them."""

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from apps.accounts.core_banking.iso8583_breaker import Breaker
from apps.accounts.core_banking.iso8583_codec import Parsed
from apps.accounts.core_banking.iso8583_link import Link
from apps.accounts.core_banking.iso8583_messages import Key, Request, key_of
from apps.accounts.core_banking.iso8583_sealing import Sealer
from apps.accounts.states import Unmatched
from apps.common.faults import fault_point
from hsm.errors import HsmError

log = structlog.get_logger(__name__)

# Answers that came a moment ago, so that the same once more is known for a repeat.
RECENT_MAX = 4096
_ANSWERS = frozenset({"0210", "0430"})

Stray = Callable[[Parsed, Unmatched | None], None]


@dataclass(slots=True)
class Answers:
    """What came back of a batch. A request in neither was sent, and nobody answered."""

    received: dict[UUID, Parsed] = field(default_factory=dict)
    not_sent: set[UUID] = field(default_factory=set)
    waited_for: int = 0


@dataclass(slots=True)
class _Waiting:
    request: Request
    link: Link
    answers: Answers


class Links:
    """
    The process's links, opened with the first request: after a fork, never before.

    An answer is matched by class of message, terminal, transmission time and STAN, and applied only
    if it repeats RRN, amount and processing code. What fits nobody who waits goes to `stray`.
    """

    def __init__(
        self,
        *,
        make: Callable[["Links"], Sequence[Link]],
        sealer: Sealer,
        breaker: Breaker,
        counts: "Counter[str]",
        stray: Stray,
    ) -> None:
        self._make = make
        self._sealer = sealer
        self._breaker = breaker
        self._stray = stray
        self.counts = counts
        self.start_anew()

    def start_anew(self) -> None:
        """Have no link and wait for nothing; a forked child leaves its parent's to the parent."""
        for link in getattr(self, "_links", ()):
            link.forget()
        self._changed = threading.Condition()
        self._links: Sequence[Link] = ()
        self._open: dict[Key, _Waiting] = {}
        self._recent: OrderedDict[Key, Parsed] = OrderedDict()

    def exchange(
        self, requests: Sequence[Request], *, connect_seconds: float, answer_seconds: float
    ) -> Answers:
        """Send all requests at once and return what is answered in time. No transaction is open."""
        answers = Answers()
        if not requests:
            return answers
        links = [] if self._breaker.is_open() else self._links_up(connect_seconds)
        frames = self._frames(requests) if links else []
        if not frames:
            answers.not_sent.update(request.call.id for request in requests)
            return answers
        deadline = time.monotonic() + answer_seconds
        for place, link in enumerate(links):
            part = range(place, len(requests), len(links))
            self._send(link, [(requests[n], frames[n]) for n in part], answers)
        fault_point("core_banking.sent")
        self._wait(requests, answers, deadline)
        return answers

    def take(self, link: Link, messages: Sequence[Parsed]) -> None:
        """Give answers to who waits for them. Called by a link's thread."""
        del link
        for message in messages:
            if message.mti in _ANSWERS:
                self._match(message)
            else:
                # A host answers; it has nothing to ask of us.
                self.counts["refused"] += 1
                log.warning("host_message_refused", mti=message.mti)

    def changed(self, link: Link) -> None:
        """Hear that a link came up, or is gone and with it all answers still to come on it."""
        with self._changed:
            if not link.is_up:
                for key in [key for key, each in self._open.items() if each.link is link]:
                    self._close(key)
            self._changed.notify_all()

    def close(self) -> None:
        """End all links."""
        with self._changed:
            links, self._links = self._links, ()
        for link in links:
            link.close()

    def _links_up(self, connect_seconds: float) -> list[Link]:
        """Return the links that can be used; wait for them only while they first connect."""
        with self._changed:
            if not self._links:
                self._links = self._make(self)
                for link in self._links:
                    link.start()
            links = self._links
            self._changed.wait_for(
                lambda: any(link.is_up for link in links) or all(link.has_failed for link in links),
                timeout=connect_seconds,
            )
            return [link for link in links if link.is_up]

    def _frames(self, requests: Sequence[Request]) -> list[bytes]:
        try:
            return self._sealer.seal([request.fields for request in requests])
        except HsmError as error:
            log.warning("host_mac_not_made", error=type(error).__name__)
            return []

    def _send(self, link: Link, part: Sequence[tuple[Request, bytes]], answers: Answers) -> None:
        sent = bytearray()
        with self._changed:
            for request, frame in part:
                if request.key in self._open:
                    answers.not_sent.add(request.call.id)
                else:
                    self._open[request.key] = _Waiting(request, link, answers)
                    answers.waited_for += 1
                    sent += frame
        try:
            has_left = link.send(bytes(sent))
        except OSError as error:
            log.warning("host_send_failed", error=type(error).__name__)
            link.hang_up()
            return
        if not has_left:
            self._forget([request for request, _ in part], answers)
            answers.not_sent.update(request.call.id for request, _ in part)

    def _wait(self, requests: Sequence[Request], answers: Answers, deadline: float) -> None:
        """Wait until nobody of the batch waits any more; what is left at the end is silent."""
        with self._changed:
            self._changed.wait_for(
                lambda: not answers.waited_for, timeout=max(0.0, deadline - time.monotonic())
            )
        for link in self._forget(requests, answers):
            link.suspect()

    def _forget(self, requests: Sequence[Request], answers: Answers) -> list[Link]:
        """Wait no longer for these; return the links on which an answer was missed."""
        links: list[Link] = []
        with self._changed:
            for request in requests:
                waiting = self._open.get(request.key)
                if waiting is not None and waiting.answers is answers:
                    self._close(request.key)
                    if waiting.link not in links:
                        links.append(waiting.link)
        return links

    def _match(self, message: Parsed) -> None:
        key = key_of(message)
        reason: Unmatched | None = None
        with self._changed:
            waiting = self._open.get(key)
            if waiting is not None and waiting.request.is_answered_by(message):
                self._close(key)
                self._remember(key, message)
                waiting.answers.received[waiting.request.call.id] = message
                if not waiting.answers.waited_for:
                    self._changed.notify_all()
                return
            earlier = self._recent.get(key)
        if waiting is not None:
            reason = Unmatched.OTHER_CONTENT
        elif earlier is not None:
            if _says_the_same(earlier, message):
                self.counts["repeated"] += 1
                return
            reason = Unmatched.CONTRADICTION
        self.counts["stray"] += 1
        self._stray(message, reason)

    def _close(self, key: Key) -> None:
        self._open.pop(key).answers.waited_for -= 1

    def _remember(self, key: Key, message: Parsed) -> None:
        self._recent[key] = message
        while len(self._recent) > RECENT_MAX:
            self._recent.popitem(last=False)


def _says_the_same(one: Parsed, other: Parsed) -> bool:
    return all(one.get(number) == other.get(number) for number in (3, 4, 37, 39, 44, 102, 103))
