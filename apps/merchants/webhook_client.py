"""
POST to a merchant's server that may be slow, hostile or not there.

Only the status line of the reply matters, so only the head is read, and never more than 64 KiB of
it; a redirect is a failure like any other. One timer ends the whole exchange, however slowly the
other side drips.
"""

import contextlib
import functools
import re
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from apps.merchants.destination import Address, Destination, look_up, read_url
from apps.merchants.errors import ForbiddenDestinationError, HttpsRequiredError, InvalidUrlError

HEAD_BYTES_MAX = 64 * 1024
_READ_BYTES = 4096
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([2-5][0-9]{2})(?: [^\r\n]*)?\r\n")
_SUCCESS = range(200, 300)


class Outcome(StrEnum):
    """What came of a POST."""

    DELIVERED = "DELIVERED"
    HTTP_STATUS = "HTTP_STATUS"
    TIMED_OUT = "TIMED_OUT"
    NOT_CONNECTED = "NOT_CONNECTED"
    FORBIDDEN = "FORBIDDEN"
    NOT_HTTP = "NOT_HTTP"


@dataclass(frozen=True, slots=True)
class Reply:
    """The outcome, the status if there was one, and how long it took."""

    outcome: Outcome
    http_status: int | None
    elapsed_ms: int


def post(url: str, body: bytes, headers: Mapping[str, str], *, deadline_seconds: float) -> Reply:
    """POST `body`; a 2xx is DELIVERED, everything else says what it was. Never raises for them."""
    begun = time.monotonic()
    outcome, status = _post(url, body, headers, begun + deadline_seconds)
    return Reply(outcome, status, int((time.monotonic() - begun) * 1000))


def _post(
    url: str, body: bytes, headers: Mapping[str, str], deadline: float
) -> tuple[Outcome, int | None]:
    try:
        destination = read_url(url)
        addresses = look_up(destination)
    except (ForbiddenDestinationError, HttpsRequiredError, InvalidUrlError):
        return Outcome.FORBIDDEN, None
    except OSError:
        return Outcome.NOT_CONNECTED, None
    connection = _connect(destination, addresses, deadline)
    if connection is None:
        return Outcome.NOT_CONNECTED, None
    timer = threading.Timer(max(0.0, deadline - time.monotonic()), _cut, [connection])
    timer.daemon = True
    timer.start()
    try:
        head = _exchange(connection, _request(destination, body, headers))
    except OSError:
        head = b""
    finally:
        timer.cancel()
        connection.close()
    return _judge(head, is_late=time.monotonic() >= deadline)


def _judge(head: bytes, *, is_late: bool) -> tuple[Outcome, int | None]:
    match = _STATUS_LINE.match(head)
    if match is None:
        return (Outcome.TIMED_OUT if is_late else Outcome.NOT_HTTP), None
    status = int(match[1])
    return (Outcome.DELIVERED if status in _SUCCESS else Outcome.HTTP_STATUS), status


def _connect(
    destination: Destination, addresses: Sequence[Address], deadline: float
) -> socket.socket | None:
    """Connect to the first address that answers: to the address itself, not to the name again."""
    for address in addresses:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        with contextlib.suppress(OSError):
            plain = socket.create_connection((str(address), destination.port), timeout=left)
            return _dressed(plain, destination)
    return None


def _dressed(plain: socket.socket, destination: Destination) -> socket.socket:
    """Return the socket that is written to; its handshake comes later, under the timer."""
    if not destination.is_tls:
        return plain
    return _tls().wrap_socket(
        plain, server_hostname=destination.host, do_handshake_on_connect=False
    )


@functools.cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _exchange(connection: socket.socket, request: bytes) -> bytes:
    """Send the request and return the head of the reply, as far as it came."""
    if isinstance(connection, ssl.SSLSocket):
        connection.do_handshake()
    connection.sendall(request)
    head = b""
    while b"\r\n\r\n" not in head and len(head) < HEAD_BYTES_MAX:
        part = connection.recv(_READ_BYTES)
        if not part:
            break
        head += part
    return head


def _request(destination: Destination, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = {
        "Host": destination.authority,
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "User-Agent": "upi-platform-webhooks/1",
        "Connection": "close",
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {destination.target} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body


def _cut(connection: socket.socket) -> None:
    # The plain socket's shutdown, also below TLS: it wakes whoever waits in recv().
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
