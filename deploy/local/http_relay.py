"""HTTP/1.1 as a proxy must know it: heads, framing of bodies, what belongs to a connection."""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass

HEAD_BYTES_MAX = 64 * 1024
PIECE_BYTES = 64 * 1024
# RFC 9110, section 7.6.1: these speak of one connection and are not passed on.
HOP_BY_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "upgrade",
        "proxy-authenticate",
    ]
)
NO_BODY_STATUSES = frozenset([204, 304])
INTERIM_STATUS_MAX = 199
# int() also takes signs, "0x" and underscores, which the service behind us may read otherwise; and
# a length below zero would be read until the sender closes, all of it into memory.
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}[ \t]*")


class BadMessageError(Exception):
    """The message is not HTTP that we pass on."""


class BodyTooLargeError(Exception):
    """The body is larger than whoever asked for it takes."""


@dataclass(frozen=True, slots=True)
class Head:
    """A start line and its fields, as received."""

    start: tuple[str, str, str]
    fields: tuple[tuple[str, str], ...]

    def values(self, name: str) -> list[str]:
        """Return the values of a field; the name in lower case."""
        return [value for field, value in self.fields if field.lower() == name]

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return any("chunked" in value.lower() for value in self.values("transfer-encoding"))

    @property
    def length(self) -> int | None:
        """Return the declared length. Raises BadMessageError when it is not one plain number."""
        lengths = set(self.values("content-length"))
        if not lengths:
            return None
        # RFC 9112, section 6.3: two framings at once are an attack, not a message.
        if len(lengths) > 1 or self.is_chunked or not _LENGTH.fullmatch(min(lengths)):
            raise BadMessageError
        return int(lengths.pop())

    def refuse_bad_framing(self) -> None:
        """Raise BadMessageError when it is not clear where the body of a request ends."""
        codings = [value.strip().lower() for value in self.values("transfer-encoding")]
        # Whoever is behind us might take another list of codings for none at all.
        if codings not in ([], ["chunked"]):
            raise BadMessageError
        assert self.length is None or self.length >= 0

    @property
    def wants_close(self) -> bool:
        """Whether the sender ends the connection after this message."""
        words = ",".join(self.values("connection")).lower()
        return "close" in words or ("HTTP/1.0" in self.start and "keep-alive" not in words)

    def encoded(self, more: Iterable[tuple[str, str]], *, without: frozenset[str]) -> bytes:
        """Return the bytes to pass on: no field of one connection, and the fields of ours."""
        dropped = HOP_BY_HOP | without
        kept = [entry for entry in self.fields if entry[0].lower() not in dropped]
        lines = [" ".join(self.start), *(f"{name}: {value}" for name, value in [*kept, *more])]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """Read a head; None when the connection ended before one began. Raises BadMessageError."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise BadMessageError from error
        return None
    except asyncio.LimitOverrunError as error:
        raise BadMessageError from error
    first, *rest = raw.decode("latin-1").strip("\r\n").split("\r\n")
    words = first.split(" ", 2)
    if len(words) == 2:  # noqa: PLR2004 - a status line without its reason
        words.append("")
    if len(words) != 3:  # noqa: PLR2004 - method, target, version; or version, status, reason
        raise BadMessageError
    return Head((words[0], words[1], words[2]), tuple(_field(line) for line in rest))


async def read_body(head: Head, reader: asyncio.StreamReader, *, bytes_max: int) -> bytes:
    """
    Read the whole body, without its framing.

    Raises BodyTooLargeError as soon as it is known to be, BadMessageError when it breaks off.
    """
    try:
        if head.is_chunked:
            return await _read_chunks(reader, bytes_max=bytes_max)
        if (head.length or 0) > bytes_max:
            raise BodyTooLargeError
        return await reader.readexactly(head.length or 0)
    except asyncio.IncompleteReadError as error:
        raise BadMessageError from error


async def relay_body(
    head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Pass the body on as it is framed; nothing when the head declares none."""
    if head.is_chunked:
        await _relay_chunks(reader, writer)
    elif head.length:
        await _relay_bytes(head.length, reader, writer)


async def relay_rest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on everything until the sender closes."""
    while piece := await reader.read(PIECE_BYTES):
        writer.write(piece)
        await writer.drain()


def _field(line: str) -> tuple[str, str]:
    name, separator, value = line.partition(":")
    if not separator or name != name.strip() or not name:
        raise BadMessageError
    return name, value.strip()


async def _relay_bytes(
    count: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    while count:
        piece = await reader.read(min(count, PIECE_BYTES))
        if not piece:
            raise BadMessageError
        count -= len(piece)
        writer.write(piece)
        await writer.drain()


async def _read_chunks(reader: asyncio.StreamReader, *, bytes_max: int) -> bytes:
    body = bytearray()
    while size := _chunk_size(await _line(reader)):
        if len(body) + size > bytes_max:
            raise BodyTooLargeError
        body += await reader.readexactly(size)
        if await reader.readexactly(2) != b"\r\n":
            raise BadMessageError
    read = 0
    while (line := await _line(reader)) != b"\r\n":
        read += len(line)
        if read > HEAD_BYTES_MAX:
            raise BadMessageError
    return bytes(body)


async def _relay_chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        line = await _line(reader)
        size = _chunk_size(line)
        writer.write(line)
        if size == 0:
            break
        await _relay_bytes(size + 2, reader, writer)
    # The trailers, if any, and the empty line after them.
    while (line := await _line(reader)) != b"\r\n":
        writer.write(line)
    writer.write(line)
    await writer.drain()


def _chunk_size(line: bytes) -> int:
    digits = line.removesuffix(b"\r\n").partition(b";")[0]
    if not _CHUNK_SIZE.fullmatch(digits):
        raise BadMessageError
    return int(digits, 16)


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n")
    except (asyncio.LimitOverrunError, asyncio.IncompleteReadError) as error:
        raise BadMessageError from error
