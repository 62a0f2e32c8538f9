"""
One TCP connection under mutual TLS, on which one thread reads while others write.

OpenSSL allows one call at a time on a connection, and a read that waits is a call. So the waiting
is done on the socket, and the cipher works between memory buffers under a lock.
"""

import contextlib
import select
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import Self

from cryptography import x509
from cryptography.x509.oid import NameOID

_READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Peer:
    """Where the host is, who it must be, and by what we prove who we are."""

    host: str
    port: int
    organisation: str
    tls_ca: str
    tls_certificate: str
    tls_key: str

    def context(self) -> ssl.SSLContext:
        """Return what every connection is made with: TLS 1.3, both ends with certificates."""
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=self.tls_ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.tls_certificate, self.tls_key)
        return context


class PeerRefusedError(OSError):
    """The other end has a certificate, but not one of the host's organisation."""


class Stream:
    """A connection that is up. Bytes go in and out whole; every wait has an end."""

    def __init__(self, raw: socket.socket, context: ssl.SSLContext, server_name: str) -> None:
        self._raw = raw
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self._cipher = threading.Lock()
        self._has_ended = False
        # Records leave in the order in which they were made.
        self._sending = threading.Lock()

    @classmethod
    def open(cls, peer: Peer, *, timeout_seconds: float) -> Self:
        """Connect, shake hands, and look who answered. Raises OSError."""
        raw = socket.create_connection((peer.host, peer.port), timeout=timeout_seconds)
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = cls(raw, peer.context(), peer.host)
            stream._shake_hands(organisation=peer.organisation)
        except BaseException:
            raw.close()
            raise
        return stream

    def send(self, data: bytes) -> None:
        """Send all of it. Raises OSError; then nobody knows how much of it left."""
        with self._sending:
            with self._cipher:
                self._tls.write(data)
                sealed = self._outgoing.read()
            self._raw.sendall(sealed)

    def receive(self, *, timeout_seconds: float) -> bytes | None:
        """Return what came, b"" when nothing did in time, None at the end. Raises OSError."""
        plain = self._opened()
        if plain or self._has_ended:
            return plain or None
        poll = select.poll()
        poll.register(self._raw, select.POLLIN)
        if not poll.poll(timeout_seconds * 1000):
            return b""
        sealed = self._raw.recv(_READ_BYTES)
        if not sealed:
            return None
        with self._cipher:
            self._incoming.write(sealed)
        plain = self._opened()
        if self._outgoing.pending:
            self._flush()
        return plain

    def hang_up(self) -> None:
        """End the connection; who reads it is told so, and closes it."""
        with contextlib.suppress(OSError):
            self._raw.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back. A child of a fork closes its copy so, and the parent goes on."""
        self._raw.close()

    def _opened(self) -> bytes:
        parts: list[bytes] = []
        with self._cipher, contextlib.suppress(ssl.SSLWantReadError):
            while part := self._tls.read(_READ_BYTES):
                parts.append(part)
            # To read nothing, rather than to have to wait, is the other end's goodbye.
            self._has_ended = True
        return b"".join(parts)

    def _flush(self) -> None:
        with self._sending:
            with self._cipher:
                sealed = self._outgoing.read()
            self._raw.sendall(sealed)

    def _shake_hands(self, *, organisation: str) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._raw.sendall(self._outgoing.read())
                sealed = self._raw.recv(_READ_BYTES)
                if not sealed:
                    raise ConnectionResetError("hung up in the handshake") from None
                self._incoming.write(sealed)
            else:
                break
        self._raw.sendall(self._outgoing.read())
        if self._organisation() != organisation:
            raise PeerRefusedError("the certificate is of another organisation")

    def _organisation(self) -> str:
        certificate = self._tls.getpeercert(binary_form=True)
        assert certificate is not None, "the context demands a certificate"
        subject = x509.load_der_x509_certificate(certificate).subject
        names = subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        return str(names[0].value) if len(names) == 1 else ""
