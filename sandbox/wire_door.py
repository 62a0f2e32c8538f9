"""The port of the wire: POSTs by HTTP/1.1 over kept-alive connections, each answered by an Ack."""

import asyncio
import http
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import unquote

import httptools

from sandbox.connections import Reply

_BACKLOG = 512
_BODY_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Post:
    """One request as it came: its method, its path without escapes, and its body."""

    method: str
    path: str
    body: bytes


# None breaks the connection instead of an answer.
Handler: TypeAlias = Callable[[Post], Awaitable[Reply | None]]


class WireDoor:
    """Listens, and hands one request after another of each connection to the handler."""

    def __init__(self, handle: Handler) -> None:
        self.handle = handle
        self.connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        """Take connections from now on."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self), host, port, ssl=tls, backlog=_BACKLOG
        )

    async def close(self) -> None:
        """Take no further connection and break those that are open."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.abort()
        if self._server is not None:
            await self._server.wait_closed()


class _Connection(asyncio.Protocol):
    """One connection; the parser calls it for each part of a request."""

    def __init__(self, door: WireDoor) -> None:
        self._door = door
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._url = b""
        self._parts: list[bytes] = []
        self._size = 0
        # Requests are answered in the order in which they came, one after the other.
        self._asked: deque[tuple[Post, bool]] = deque()
        self._work: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (called by the loop)."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._door.connections.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        """Answer nobody any more; what was taken is done all the same (called by the loop)."""
        self._transport = None
        self._door.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        """Read a part of a request (called by the loop)."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._refuse(http.HTTPStatus.BAD_REQUEST)

    def on_message_begin(self) -> None:
        """Begin a request (called by the parser)."""
        self._url, self._parts, self._size = b"", [], 0

    def on_url(self, part: bytes) -> None:
        """Gather the target (called by the parser)."""
        self._url += part

    def on_body(self, part: bytes) -> None:
        """Gather the body (called by the parser)."""
        self._size += len(part)
        if self._size > _BODY_BYTES_MAX:
            self._refuse(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            self._parts.append(part)

    def on_message_complete(self) -> None:
        """Have the request answered when its turn comes (called by the parser)."""
        if self._transport is None or self._transport.is_closing():
            return
        path = unquote(httptools.parse_url(self._url).path.decode("ascii", "replace"))
        post = Post(self._parser.get_method().decode(), path, b"".join(self._parts))
        self._asked.append((post, self._parser.should_keep_alive()))
        if self._work is None:
            self._work = asyncio.ensure_future(self._answer_all())

    def abort(self) -> None:
        """Break the connection."""
        if self._transport is not None:
            self._transport.abort()

    async def _answer_all(self) -> None:
        try:
            while self._asked:
                post, is_kept = self._asked.popleft()
                self._write(await self._door.handle(post), is_kept=is_kept)
        except BaseException:
            self.abort()
            raise
        finally:
            self._work = None

    def _write(self, reply: Reply | None, *, is_kept: bool) -> None:
        if reply is None:
            self.abort()
        elif self._transport is not None:
            self._transport.write(_written(reply, is_kept=is_kept))
            if not is_kept:
                self._transport.close()

    def _refuse(self, status: http.HTTPStatus) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_written(Reply(status, b""), is_kept=False))
            self._transport.close()


def _written(reply: Reply, *, is_kept: bool) -> bytes:
    phrase = http.HTTPStatus(reply.status).phrase
    kept = "" if is_kept else "Connection: close\r\n"
    head = (
        f"HTTP/1.1 {reply.status} {phrase}\r\nContent-Type: application/xml\r\n"
        f"Content-Length: {len(reply.content)}\r\n{kept}\r\n"
    )
    return head.encode() + reply.content
