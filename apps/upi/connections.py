"""
Kept-alive connections to one address: POSTs by HTTP/1.1, one at a time on each connection.

The general client (httpx) took three to six times the processor time for each POST, and a payment
has five; the reading of answers is the standard library's.
"""

import http.client
import select
import socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Reply:
    """What the other side answered; a body that was too long is cut."""

    status: int
    body: bytes


class Connections:
    """
    The connections to one address, opened when they are needed and used again and again.

    Threads may share it. A POST that fails is not sent a second time: it may have been acted on.
    """

    def __init__(self, url: str, tls: ssl.SSLContext | None, *, idle_seconds: float) -> None:
        parts = urlsplit(url)
        assert parts.hostname, "the address names a host"
        assert tls or parts.scheme == "http", "a secured address needs a way to prove itself"
        self._host = parts.hostname
        self._tls = tls
        self._port = parts.port or (443 if tls else 80)
        self._prefix = parts.path.rstrip("/")
        self._netloc = parts.netloc
        self._idle_seconds = idle_seconds
        self._idle: list[Connection] = []
        self._session: ssl.SSLSession | None = None

    def take(self, *, connect_seconds: float) -> "Connection":
        """
        Return a connection that is open and nobody else's, until it is given back.

        Raises OSError when none can be made: then no byte of a request has left.
        """
        while self._idle:
            # A list gives its last to one thread only; another may have been faster.
            try:
                connection = self._idle.pop()
            except IndexError:
                break
            if connection.is_fresh(self._idle_seconds):
                return connection
            connection.close()
        return Connection(self._opened(connect_seconds), self._netloc, self._prefix)

    def give_back(self, connection: "Connection") -> None:
        """Keep a connection for the next request, or close it when its answer ended it."""
        if not connection.is_reusable:
            connection.close()
            return
        if connection.answers == 1 and isinstance(connection.socket, ssl.SSLSocket):
            # By it the next handshake needs no certificate and no signature; to ask costs a copy.
            self._session = connection.socket.session
        self._idle.append(connection)

    def close(self) -> None:
        """Close the connections that rest."""
        while self._idle:
            self._idle.pop().close()

    def _opened(self, seconds: float) -> socket.socket:
        plain = socket.create_connection((self._host, self._port), timeout=seconds)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is None:
                return plain
            return self._tls.wrap_socket(plain, server_hostname=self._host, session=self._session)
        except BaseException:
            plain.close()
            raise


class Connection:
    """One connection; its socket is open and rests between two requests."""

    def __init__(self, open_socket: socket.socket, netloc: str, prefix: str) -> None:
        self.socket = open_socket
        self.is_reusable = False
        self.answers = 0
        self._netloc = netloc
        self._prefix = prefix
        self._rests_since = time.monotonic()

    def is_fresh(self, idle_seconds: float) -> bool:
        """Say whether the other side has most likely not closed it meanwhile."""
        if time.monotonic() - self._rests_since >= idle_seconds:
            return False
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        # Nothing was asked: what can be read is the other side's farewell.
        return not poll.poll(0)

    def post(
        self, path: str, body: bytes, *, kind: str, agent: str, read_seconds: float, bytes_max: int
    ) -> Reply:
        """Post a document. Raises OSError or HTTPException when there is no whole answer."""
        self.is_reusable = False
        # Circular OC-215A: these headers and no other may reach the switch.
        head = (
            f"POST {self._prefix}{path} HTTP/1.1\r\nHost: {self._netloc}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\nUser-Agent: {agent}\r\n\r\n"
        )
        self.socket.settimeout(read_seconds)
        # Head and body in one piece: the other side is woken once.
        self.socket.sendall(head.encode("ascii") + body)
        response = http.client.HTTPResponse(self.socket, method="POST")
        try:
            response.begin()
            # One byte more than is taken: so it is seen that there was more.
            content = response.read(bytes_max + 1)
            self.is_reusable = response.isclosed() and not response.will_close
        finally:
            response.close()
        self._rests_since = time.monotonic()
        self.answers += 1
        return Reply(response.status, content)

    def close(self) -> None:
        """Close the socket, whatever is on its way."""
        self.socket.close()
