"""
How gunicorn serves the receiver: `--config python:upi_platform.receiver_server`.

Mutual TLS of its own: a connection without a certificate of the authority gets nowhere. Handshakes
have threads of their own, a connection that asks nothing has none, and a request must arrive in
time: whoever is slow, has gone without a word, or is not the switch, keeps no message waiting.
"""

import errno
import functools
import selectors
import socket
import ssl
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import structlog
from gunicorn.workers.gthread import TConn, ThreadWorker

from hsm.starting import audit_keys
from upi_platform.settings.env import environment

# Messages come over connections that stay open: a handshake costs more than a message. The switch
# closes an idle one sooner than we do, so that no message meets a connection that is closing.
worker_class = "upi_platform.receiver_server.Worker"
threads = 8
keepalive = 75
graceful_timeout = 5

ca_certs = environment.upi_tls_ca
certfile = environment.upi_tls_certificate
keyfile = environment.upi_tls_key
cert_reqs = ssl.CERT_REQUIRED

HANDSHAKE_SECONDS = 3.0
HANDSHAKES_AT_ONCE = 64
# From a request's first byte to its last: a thread waits for it.
REQUEST_SECONDS = 5.0

log = structlog.get_logger(__name__)


class _Socket(ssl.SSLSocket):
    """Gives up on a request that does not arrive in time, however slowly its bytes come."""

    _ends_at = 0.0

    def expect_request(self) -> None:
        """Begin to count the time of a request."""
        self._ends_at = time.monotonic() + REQUEST_SECONDS

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Return what came. Raises ConnectionResetError when the time is over."""
        self.settimeout(max(0.001, self._ends_at - time.monotonic()))
        try:
            return super().recv(buflen, flags)
        except TimeoutError:
            log.warning("request_too_slow")
            message = "the request did not arrive in time"
            raise ConnectionResetError(errno.ECONNRESET, message) from None
        finally:
            self.settimeout(REQUEST_SECONDS)


class _Context(ssl.SSLContext):
    """Shakes hands at once, and in time."""

    sslsocket_class = _Socket

    def wrap_socket(self, sock: socket.socket, *_: Any, **__: Any) -> ssl.SSLSocket:
        sock.settimeout(HANDSHAKE_SECONDS)
        try:
            return super().wrap_socket(sock, server_side=True)
        except OSError as error:
            log.info("handshake_failed", error=type(error).__name__, reason=str(error))
            raise


def ssl_context(_config: object, _default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """Return what every connection of this process is wrapped with (a hook of gunicorn)."""
    return _context()


def post_worker_init(_worker: object) -> None:
    """Audit the token's keys before the first message (a hook of gunicorn; see `web_server`)."""
    audit_keys()


@functools.cache
def _context() -> ssl.SSLContext:
    context = _Context(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ca_certs)
    context.load_cert_chain(certfile, keyfile)
    return context


class Worker(ThreadWorker):  # type: ignore[misc]
    """A worker with threads that shakes hands aside, and waits for a request without a thread."""

    def init_process(self) -> None:
        """Begin to work, in the new process."""
        self._handshakes = ThreadPoolExecutor(HANDSHAKES_AT_ONCE)
        super().init_process()

    def enqueue_req(self, conn: TConn) -> None:
        """Have a connection served: a new one by a handshake first."""
        if conn.initialized:
            super().enqueue_req(conn)
            return
        shaken = self._handshakes.submit(conn.init)
        shaken.add_done_callback(lambda _: self.method_queue.defer(self._wait, conn, shaken))

    def _wait(self, conn: TConn, shaken: "Future[None]") -> None:
        """Wait for the first request of a connection, in the loop of the main thread."""
        if shaken.exception() is not None or not self.alive:
            self.nr_conns -= 1
            conn.close()
            return
        conn.sock.settimeout(0)
        # Gunicorn asks each connection to be ready before it reads a request from it.
        conn.init = conn.sock.expect_request
        conn.timeout = time.monotonic() + keepalive
        self.pending_conns.append(conn)
        ready = functools.partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, ready)
