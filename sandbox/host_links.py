"""The core-banking host's door: mutual TLS, one link for each connection, frames in and out."""

import asyncio
import contextlib
import logging
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox import clock, host_codec, tls, world
from sandbox.host_codec import Frames, Message
from sandbox.host_desk import ANSWER_MTI, ECHO, SIGN_ON, Desk, spoilt
from sandbox.host_faults import NOT_DONE, SILENT, Fault, HostFaults, Kind
from sandbox.host_journal import HostJournal
from sandbox.host_keys import HostKeys

_READ_BYTES = 64 * 1024
_GARBAGE_BYTES = 40

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Link:
    """One connection of the bank."""

    number: int
    peer: str
    writer: asyncio.StreamWriter = field(repr=False)
    since: str = field(default_factory=lambda: clock.iso(clock.now()))
    is_signed_on: bool = False
    received: int = 0
    sent: int = 0
    bad_macs: int = 0
    malformed: int = 0
    refused: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)


class HostDoor:
    """Listens, reads messages, and writes the answers of the desk as the faults let it."""

    def __init__(
        self, *, desk: Desk, keys: HostKeys, faults: HostFaults, journal: HostJournal
    ) -> None:
        self._desk, self._keys, self._faults, self._journal = desk, keys, faults, journal
        self.links: set[Link] = set()
        self.unknown_peers = 0
        self._count = 0
        self._last_mac = bytes(host_codec.MAC_BYTES)
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int, folder: Path) -> None:
        """Begin to take connections."""
        proof = tls.of_listener(folder, name="host")
        proof.minimum_version = ssl.TLSVersion.TLSv1_3
        self._server = await asyncio.start_server(
            self._serve, host, port, ssl=proof, limit=_READ_BYTES
        )

    async def close(self) -> None:
        """End all connections."""
        if self._server is not None:
            self._server.close()
        for task in [*self._tasks]:
            task.cancel()
        for link in [*self.links]:
            link.writer.transport.abort()

    async def ask(self, mti: str, fields: Mapping[str, str]) -> int:
        """Send a message of the host's own over every link; return to how many."""
        links = [*self.links]
        for link in links:
            await self._send(link, mti, fields, None)
        return len(links)

    def reset(self) -> int:
        """Break every link at once; return how many there were."""
        links = [*self.links]
        for link in links:
            link.writer.transport.abort()
        return len(links)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = _organisation(writer)
        if peer != world.BANK:
            self.unknown_peers += 1
            log.warning("a peer of another organisation is refused")
            writer.transport.abort()
            return
        self._count += 1
        link = Link(self._count, peer, writer)
        self.links.add(link)
        try:
            await self._read(link, reader)
        except host_codec.FrameError as error:
            log.warning("link %d: a frame of %s bytes", link.number, error)
        except OSError:
            pass
        finally:
            self.links.discard(link)
            writer.transport.abort()

    async def _read(self, link: Link, reader: asyncio.StreamReader) -> None:
        frames = Frames()
        while received := await reader.read(_READ_BYTES):
            for raw in frames.feed(received):
                link.received += 1
                if (message := self._admitted(link, raw)) is not None:
                    task = asyncio.create_task(self._handle(link, message))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)

    def _admitted(self, link: Link, raw: bytes) -> Message | None:
        """Return a message that is one and is the bank's own; anything else gets no answer."""
        try:
            message = host_codec.decode(raw)
        except host_codec.MalformedError as error:
            link.malformed += 1
            self._journal.note("in", link.number, "", {}, fault=f"malformed: {error}")
            return None
        if not self._keys.is_right(message):
            link.bad_macs += 1
            self._journal.note("in", link.number, message.mti, message.fields, fault="bad MAC")
            return None
        if message.mti not in ANSWER_MTI:
            link.refused += 1
            self._journal.note("in", link.number, message.mti, message.fields, fault="not served")
            return None
        return message

    async def _handle(self, link: Link, message: Message) -> None:
        fault = self._faults.take(message)
        kind = fault.kind if fault else None
        self._journal.note("in", link.number, message.mti, message.fields, fault=kind or "")
        if fault is not None and kind is Kind.HELD:
            await clock.sleep(fault.seconds)
        if message.mti == "0800" and message.get(70) != ECHO and kind not in NOT_DONE:
            link.is_signed_on = message.get(70) == SIGN_ON
        mti, fields = await self._desk.answer(message, is_signed_on=link.is_signed_on, fault=fault)
        if fault is not None and kind is Kind.LATE:
            await clock.sleep(fault.seconds)
        if kind is Kind.RESET:
            link.writer.transport.abort()
        elif kind not in SILENT:
            with contextlib.suppress(OSError):
                await self._send(link, mti, fields, fault)

    async def _send(
        self, link: Link, mti: str, fields: Mapping[str, str], fault: Fault | None
    ) -> None:
        kind = fault.kind if fault else None
        if fault is not None:
            fields = spoilt(fields, fault)
        written = host_codec.encode(mti, fields, with_mac=kind is not Kind.NO_MAC)
        if kind is not Kind.NO_MAC:
            written += self._mac(written, kind)
        if kind is Kind.GARBAGE:
            written = secrets.token_bytes(_GARBAGE_BYTES)
        framed = host_codec.frame(written)
        async with link.turn:
            if link.writer.transport.is_closing():
                return
            self._journal.note("out", link.number, mti, fields, fault=kind or "")
            link.sent += 1
            await _write(link.writer, framed, kind)

    def _mac(self, written: bytes, kind: Kind | None) -> bytes:
        made = self._keys.mac(written)
        before, self._last_mac = self._last_mac, made
        if kind is Kind.OTHER_MAC:
            return before
        return bytes([*made[:-1], made[-1] ^ 1]) if kind is Kind.BAD_MAC else made


async def _write(writer: asyncio.StreamWriter, framed: bytes, kind: Kind | None) -> None:
    if kind is Kind.TORN:
        writer.write(framed[: len(framed) // 2])
        await writer.drain()
        writer.close()
        return
    pieces = [framed]
    if kind is Kind.ONE_BYTE_SEGMENTS:
        pieces = [framed[place : place + 1] for place in range(len(framed))]
    elif kind is Kind.DUPLICATE:
        pieces = [framed, framed]
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        if len(pieces) > 1:
            # A turn of the loop for each, so that the network sees them apart.
            await asyncio.sleep(0)


def _organisation(writer: asyncio.StreamWriter) -> str:
    shown = writer.get_extra_info("peercert") or {}
    names = [pair for part in shown.get("subject", ()) for pair in part]
    return next((value for name, value in names if name == "organizationName"), "")
