"""One link to the host: it connects, signs on, reads, asks for signs of life, and comes back."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from apps.accounts.core_banking.iso8583_breaker import Breaker
from apps.accounts.core_banking.iso8583_codec import FrameError, Frames, Parsed
from apps.accounts.core_banking.iso8583_messages import ECHO, SIGN_OFF, SIGN_ON, Writer
from apps.accounts.core_banking.iso8583_sealing import Sealer
from apps.accounts.core_banking.iso8583_stream import Peer, Stream
from hsm.errors import HsmError

log = structlog.get_logger(__name__)

# How soon a link notices that it should ask or end.
TICK_SECONDS = 0.25
_TRACES = 999_999
# DE41, 7 and 11: by these the host's answer is found, here as in `iso8583_messages.key_of`.
_KEY = (41, 7, 11)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a link waits for what."""

    connect_seconds: float = 2.0
    # After so long without a word from the host, an echo asks whether it lives.
    echo_seconds: float = 30.0
    echo_answer_seconds: float = 2.0
    echoes_missed_max: int = 3
    reconnect_seconds_min: float = 0.2
    reconnect_seconds_max: float = 5.0


class LinkLostError(OSError):
    """The other end hung up, or said nothing for too long."""


class Link:
    """A thread that keeps a connection. `take` gets messages, `changed` hears of ups and downs."""

    def __init__(
        self,
        *,
        peer: Peer,
        timing: Timing,
        words: tuple[Writer, Sealer, str],
        breaker: Breaker,
        take: Callable[["Link", Sequence[Parsed]], None],
        changed: Callable[["Link"], None],
    ) -> None:
        self._peer = peer
        self._timing = timing
        self._writer, self._sealer, self._terminal = words
        self._breaker = breaker
        self._take = take
        self._changed = changed
        self._stream: Stream | None = None
        self._ending = threading.Event()
        self._is_suspect = False
        self._misses = 0
        self._trace = 0
        self._asked: dict[str, str] | None = None
        self._asked_at = 0.0
        self._heard_at = 0.0
        self._tries = 0
        self.is_up = False
        # The last try to connect came to nothing: nobody should wait for the next.
        self.has_failed = False
        self._thread = threading.Thread(target=self._run, name="core-banking-link", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def send(self, data: bytes) -> bool:
        """Send frames; return False if not one byte left. Raises OSError when nobody knows."""
        stream = self._stream
        if stream is None or not self.is_up:
            return False
        stream.send(data)
        return True

    def suspect(self) -> None:
        """Ask soon whether the host lives: somebody waited in vain."""
        self._is_suspect = True

    def hang_up(self) -> None:
        """Give this connection up; the link makes a new one."""
        if self._stream is not None:
            self._stream.hang_up()

    def close(self) -> None:
        """Sign off and end."""
        self._ending.set()
        self._thread.join(timeout=self._timing.connect_seconds + 2 * TICK_SECONDS)

    def forget(self) -> None:
        """In a forked child: leave the parent's connection to the parent."""
        if self._stream is not None:
            self._stream.close()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._serve()
            except (OSError, FrameError, HsmError) as error:
                log.warning("host_link_lost", error=type(error).__name__)
                # That our own token is away says nothing about the host.
                if not (self.is_up or isinstance(error, HsmError)):
                    self._miss()
            except Exception:
                # A thread that ends here leaves a link that nobody reads and that seems to be up.
                log.exception("host_link_broke")
            self._drop()
            self._ending.wait(self._pause())

    def _pause(self) -> float:
        longest = self._timing.reconnect_seconds_max
        pause = min(longest, self._timing.reconnect_seconds_min * float(1 << min(self._tries, 10)))
        # Processes that lost the host together come back one by one.
        return pause * random.uniform(0.5, 1.0)  # noqa: S311

    def _serve(self) -> None:
        self._tries += 1
        # The token's login leaves words in this thread's queue of OpenSSL, which a read of ours
        # would take for its own; the handshake empties it.
        self._sealer.seal([self._writer.management(ECHO, terminal=self._terminal, trace=1)])
        stream = self._stream = Stream.open(
            self._peer, timeout_seconds=self._timing.connect_seconds
        )
        frames = Frames()
        self._ask(SIGN_ON)
        while not self._ending.is_set():
            received = stream.receive(timeout_seconds=TICK_SECONDS)
            if received is None:
                raise LinkLostError("the host hung up")
            if received:
                self._heard_at = time.monotonic()
                self._hear(self._sealer.open(frames.feed(received)))
            self._look_after()
        if self.is_up:
            self._ask(SIGN_OFF)

    def _hear(self, messages: Sequence[Parsed]) -> None:
        # First what may move money: a host that refuses the link has answered these all the same.
        self._take(self, [message for message in messages if message.mti != "0810"])
        for message in messages:
            if message.mti == "0810" and self._is_asked_for(message):
                self._answered(message)

    def _is_asked_for(self, message: Parsed) -> bool:
        asked = self._asked
        return asked is not None and all(message.get(n) == asked[str(n)] for n in _KEY)

    def _answered(self, message: Parsed) -> None:
        self._asked = None
        if message.get(39) != "00":
            raise LinkLostError("the host refuses the link")
        self._misses = 0
        self._breaker.close()
        if not self.is_up:
            self._tries = 0
            self.is_up = True
            self.has_failed = False
            log.info("host_link_up")
            self._changed(self)

    def _look_after(self) -> None:
        """Ask for a sign of life when it is time, and end a link that gives none."""
        now = time.monotonic()
        if self._asked is not None:
            if now < self._asked_at + self._timing.echo_answer_seconds:
                return
            self._asked = None
            if self.is_up:
                self._miss()
            if not self.is_up or self._misses >= self._timing.echoes_missed_max:
                raise LinkLostError("the host gives no sign of life")
            self._ask(ECHO)
        elif self._is_suspect or now >= self._heard_at + self._timing.echo_seconds:
            self._is_suspect = False
            self._ask(ECHO)

    def _ask(self, code: str) -> None:
        assert self._stream is not None
        self._trace = self._trace % _TRACES + 1
        fields = self._writer.management(code, terminal=self._terminal, trace=self._trace)
        self._asked, self._asked_at = fields, time.monotonic()
        self._stream.send(self._sealer.seal([fields])[0])

    def _miss(self) -> None:
        """Count an echo without answer, or a connection that ended before it was signed on."""
        self._misses += 1
        if self._misses >= self._timing.echoes_missed_max:
            self._breaker.open()

    def _drop(self) -> None:
        stream, self._stream = self._stream, None
        self.has_failed = not self.is_up
        self.is_up = False
        self._asked = None
        if stream is not None:
            stream.hang_up()
            stream.close()
        self._changed(self)
