"""
A small reverse proxy that routes by path prefix, as the cloud's ingress does: one URL for all.

Run as `python -m deploy.local.router --port P --upstream SERVICE=HOST:PORT…`; the service `*` takes
those that are not named.

A service is bothered only with a request that has come whole: whoever sends slowly waits here,
where that costs a little memory, and not in a worker of the service.
"""

import argparse
import asyncio
import contextlib
import json
import signal
from collections.abc import Mapping, Sequence

from deploy.local import http_relay, routes
from deploy.local.http_relay import BadMessageError, BodyTooLargeError, Head
from deploy.local.ports import HOST

# A long poll of the live service waits for less than this.
ANSWER_SECONDS = 90.0
# For a head, with the wait for it, and for a body after its head.
REQUEST_SECONDS = 30.0
# Above the largest body that any service takes, and each service has a limit of its own.
BODY_BYTES_MAX = 512 * 1024
# After a refusal the rest of a request is read and dropped, or its sender may not see the refusal.
DROPPED_BYTES_MAX = 4 * 1024 * 1024
DROPPING_SECONDS = 2.0
HELD_BYTES_MAX = 2 * 1024 * 1024
BACKLOG = 512
Address = tuple[str, int]
_OURS_TO_SAY = frozenset(
    ["x-forwarded-for", "x-forwarded-proto", "expect", "content-length", "transfer-encoding"]
)


class Router:
    """Serves one port; each request goes to the service its path belongs to."""

    def __init__(
        self, upstreams: Mapping[str, Address], *, request_seconds: float = REQUEST_SECONDS
    ) -> None:
        self._upstreams = upstreams
        self._request_seconds = request_seconds
        self._routes = routes.load()

    async def serve(self, port: int) -> asyncio.Server:
        """Begin to listen."""
        return await asyncio.start_server(
            self._talk, HOST, port, limit=http_relay.HEAD_BYTES_MAX, backlog=BACKLOG
        )

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection, one after another."""
        try:
            while await self._answer(reader, writer):
                pass
        except BadMessageError:
            await _refuse(reader, writer, status=400, title="Bad Request")
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Pass on one request and its answer; return whether the connection goes on."""
        request = await asyncio.wait_for(http_relay.read_head(reader), self._request_seconds)
        if request is None:
            return False
        request.refuse_bad_framing()
        try:
            async with asyncio.timeout(self._request_seconds):
                body = await _whole_body(request, reader, writer)
        except BodyTooLargeError:
            await _refuse(reader, writer, status=413, title="Content Too Large")
            return False
        except TimeoutError:
            await _refuse(reader, writer, status=408, title="Request Timeout")
            return False
        service = routes.service_of(request.start[1], self._routes)
        try:
            upstream_reader, upstream = await self._connect(service)
        except OSError:
            title = f"The service {service} does not answer"
            await _refuse(reader, writer, status=502, title=title)
            return False
        upstream.write(_forwarded(request, body, peer=writer.get_extra_info("peername")[0]))
        try:
            return await self._pass_back(request, upstream_reader, writer)
        except _ServiceGoneError:
            title = f"The service {service} closed the connection"
            await _refuse(reader, writer, status=502, title=title)
            return False
        finally:
            upstream.close()

    async def _connect(self, service: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        address = self._upstreams.get(service, self._upstreams.get("*"))
        if address is None:
            message = f"nobody serves {service}"
            raise OSError(message)
        return await asyncio.open_connection(*address, limit=http_relay.HEAD_BYTES_MAX)

    async def _pass_back(
        self, request: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Pass the answer on; return whether the client may send another request."""
        answer = await self._final_head(reader, writer)
        has_body = request.start[0] != "HEAD" and (
            int(answer.start[1]) not in http_relay.NO_BODY_STATUSES
        )
        is_framed = not has_body or answer.is_chunked or answer.length is not None
        goes_on = is_framed and not request.wants_close
        own = [] if goes_on else [("Connection", "close")]
        writer.write(answer.encoded(own, without=frozenset()))
        if has_body and 0 < (answer.length or 0) <= HELD_BYTES_MAX:
            # Read before it is written: a client that reads slowly holds no worker either.
            writer.write(await reader.readexactly(answer.length or 0))
        elif has_body and is_framed:
            await http_relay.relay_body(answer, reader, writer)
        elif has_body:
            await http_relay.relay_rest(reader, writer)
        await writer.drain()
        return goes_on

    async def _final_head(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Head:
        """Return the head of the answer, after passing on interim ones such as 100 Continue."""
        while True:
            try:
                answer = await asyncio.wait_for(http_relay.read_head(reader), ANSWER_SECONDS)
            except (OSError, TimeoutError, BadMessageError) as error:
                raise _ServiceGoneError from error
            if answer is None or not answer.start[1].isdecimal():
                raise _ServiceGoneError
            if int(answer.start[1]) > http_relay.INTERIM_STATUS_MAX:
                return answer
            writer.write(answer.encoded([], without=frozenset()))


class _ServiceGoneError(Exception):
    """The service did not answer in time, or not in HTTP."""


async def _whole_body(
    request: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bytes:
    if any(value.lower() == "100-continue" for value in request.values("expect")):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return await http_relay.read_body(request, reader, bytes_max=BODY_BYTES_MAX)


def _forwarded(request: Head, body: bytes, *, peer: str) -> bytes:
    """Say who asked; what the client itself says about that is not believed."""
    own = [("X-Forwarded-For", peer), ("X-Forwarded-Proto", "http"), ("Connection", "close")]
    if request.is_chunked or request.length is not None:
        own.append(("Content-Length", str(len(body))))
    return request.encoded(own, without=_OURS_TO_SAY) + body


async def _refuse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, status: int, title: str
) -> None:
    body = json.dumps({"title": title, "status": status}).encode()
    head = (
        f"HTTP/1.1 {status} {title}\r\nContent-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(DROPPING_SECONDS):
            writer.write(head.encode() + body)
            writer.write_eof()
            await _drop_rest(reader)


async def _drop_rest(reader: asyncio.StreamReader) -> None:
    dropped = 0
    while dropped < DROPPED_BYTES_MAX and (piece := await reader.read(http_relay.PIECE_BYTES)):
        dropped += len(piece)


async def _run(*, port: int, upstreams: Mapping[str, Address]) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    server = await Router(upstreams).serve(port)
    await ended.wait()
    server.close()


def _upstream(text: str) -> tuple[str, Address]:
    service, _, address = text.partition("=")
    host, _, port = address.rpartition(":")
    return service, (host, int(port))


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.router")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", type=_upstream, action="append", required=True)
    options = parser.parse_args(arguments)
    asyncio.run(_run(port=options.port, upstreams=dict(options.upstream)))


if __name__ == "__main__":
    main()
