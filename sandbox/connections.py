"""Kept-alive connections to the bank: POSTs by HTTP/1.1, one at a time on each connection."""

import asyncio
import ssl
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import httptools

_CONNECTIONS_MAX = 64
_ANSWER_BYTES_MAX = 1024 * 1024
# What may stand in a path as it is; "%" too, for a path that is escaped already.
_SAFE_SIGNS = "/%:=&?~+!$,;'@()*"
_LENGTH_HEADERS = {b"content-length", b"transfer-encoding"}
_INFORMATION_MAX = 199


class Reply(NamedTuple):
    """What the other side answered."""

    status: int
    content: bytes


class Connections:
    """
    The connections to one address, opened when they are needed and used again and again.

    A POST that fails is not sent a second time: the other side may have acted on it.
    """

    def __init__(self, url: str, tls: ssl.SSLContext | None) -> None:
        parts = urlsplit(url)
        assert parts.hostname, f"{url} names no host"
        self._host = parts.hostname
        self._tls = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._prefix = parts.path.rstrip("/")
        self._head = (
            f"Host: {parts.netloc}\r\nAccept: */*\r\nUser-Agent: upi-switch\r\n"
            "Content-Type: application/xml\r\nContent-Length: "
        )
        self._idle: list[_Connection] = []
        self._turns = asyncio.Semaphore(_CONNECTIONS_MAX)

    async def post(
        self, path: str, body: bytes, *, connect_seconds: float, read_seconds: float
    ) -> Reply:
        """Post a document. Raises OSError (TimeoutError among them) when there is no answer."""
        target = quote(self._prefix + path, safe=_SAFE_SIGNS)
        head = f"POST {target} HTTP/1.1\r\n{self._head}{len(body)}\r\n\r\n"
        async with self._turns:
            connection = self._rested() or await self._opened(connect_seconds)
            try:
                reply = await connection.exchange(head.encode() + body, seconds=read_seconds)
            except BaseException:
                connection.abort()
                raise
            if connection.is_reusable:
                self._idle.append(connection)
            else:
                connection.abort()
            return reply

    def close(self) -> None:
        """Close the connections that rest."""
        while self._idle:
            self._idle.pop().abort()

    def _rested(self) -> "_Connection | None":
        """Return the connection that was used last and is still open."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_reusable:
                return connection
        return None

    async def _opened(self, seconds: float) -> "_Connection":
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(seconds):
            _, connection = await loop.create_connection(
                _Connection, self._host, self._port, ssl=self._tls
            )
        return connection


class _Connection(asyncio.Protocol):
    """One connection; the parser calls it for each part of an answer."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Reply] | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._has_length = False
        self._has_headers = False
        self.is_reusable = False

    async def exchange(self, request: bytes, *, seconds: float) -> Reply:
        """Send one request and return its answer. Raises OSError when none comes in time."""
        transport = self._transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        loop = asyncio.get_running_loop()
        self._begin()
        self.is_reusable = False
        waiting: asyncio.Future[Reply] = loop.create_future()
        self._waiting = waiting
        limit = loop.call_later(seconds, self._fail, TimeoutError("no answer in time"))
        transport.write(request)
        try:
            return await waiting
        finally:
            limit.cancel()
            self._waiting = None

    def abort(self) -> None:
        """Close the connection at once, whatever is on its way."""
        self.is_reusable = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (called by the loop)."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Read a part of an answer (called by the loop)."""
        if self._waiting is None:
            # Nothing was asked: what comes now would be taken for the next answer.
            self.abort()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(ConnectionResetError(str(error)))

    def eof_received(self) -> None:
        """Take the end for that of an answer without a length (called by the loop)."""
        self.is_reusable = False
        if self._has_headers and not self._has_length:
            self.on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up what was waited for (called by the loop)."""
        self.is_reusable = False
        self._transport = None
        self._fail(exc if isinstance(exc, OSError) else ConnectionResetError("closed"))

    def on_message_begin(self) -> None:
        """Trust the connection no more when it says what nobody asked (called by the parser)."""
        if self._waiting is None or self._waiting.done():
            self.is_reusable = False

    def on_header(self, name: bytes, _value: bytes) -> None:
        """Note whether the answer says where it ends (called by the parser)."""
        if name.lower() in _LENGTH_HEADERS:
            self._has_length = True

    def on_headers_complete(self) -> None:
        """Note that only the content is missing (called by the parser)."""
        self._has_headers = True

    def on_body(self, part: bytes) -> None:
        """Gather the content (called by the parser)."""
        self._size += len(part)
        if self._size > _ANSWER_BYTES_MAX:
            self._fail(ConnectionResetError("too long an answer"))
        else:
            self._parts.append(part)

    def on_message_complete(self) -> None:
        """Hand the answer over (called by the parser)."""
        status = self._parser.get_status_code()
        if status <= _INFORMATION_MAX:
            self._begin()
        elif self._waiting is not None and not self._waiting.done():
            is_kept = self._has_length and self._parser.should_keep_alive()
            self.is_reusable = is_kept and self._transport is not None
            self._waiting.set_result(Reply(status, b"".join(self._parts)))

    def _begin(self) -> None:
        self._parts = []
        self._size = 0
        self._has_length = self._has_headers = False

    def _fail(self, error: OSError) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)
