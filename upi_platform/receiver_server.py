"""
How gunicorn serves the receiver: `--config python:upi_platform.receiver_server`.

Mutual TLS of its own: a connection without a certificate of the authority gets nowhere, and one
that does not get on with its handshake holds no thread for long.
"""

import errno
import functools
import socket
import ssl
from collections.abc import Callable
from typing import Any

import structlog

from upi_platform.settings.env import environment

# Messages come over connections that stay open: a handshake costs more than a message. The switch
# closes an idle one sooner than we do, so that no message meets a connection that is closing.
worker_class = "gthread"
threads = 8
keepalive = 75

ca_certs = environment.upi_tls_ca
certfile = environment.upi_tls_certificate
keyfile = environment.upi_tls_key
cert_reqs = ssl.CERT_REQUIRED

# For the handshake, and for each step of reading the first request after it.
PATIENCE_SECONDS = 10.0

log = structlog.get_logger(__name__)


class _Context(ssl.SSLContext):
    """Ends the handshake in time; a connection that fails in it is one that was never made."""

    def wrap_socket(self, sock: socket.socket, *_: Any, **__: Any) -> ssl.SSLSocket:
        sock.settimeout(PATIENCE_SECONDS)
        try:
            return super().wrap_socket(sock, server_side=True)
        except OSError as error:
            log.info("handshake_failed", error=type(error).__name__, reason=str(error))
            raise OSError(errno.ECONNRESET, "the handshake failed") from error


def ssl_context(_config: object, _default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """Return what every connection of this process is wrapped with (a hook of gunicorn)."""
    return _context()


@functools.cache
def _context() -> ssl.SSLContext:
    context = _Context(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ca_certs)
    context.load_cert_chain(certfile, keyfile)
    return context
