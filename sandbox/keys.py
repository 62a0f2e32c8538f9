"""The sandbox's keys: private halves in files of its own, public halves exchanged as PEM files."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox import signature, world
from sandbox.link_keys import LinkKeys
from sandbox.own_keys import OwnKey, OwnKeys, own_key
from sandbox.pem import private_pem, public_pem, write

_LOOK_AGAIN_SECONDS = 1.0

Loaded = TypeVar("Loaded", signature.Verifier, rsa.RSAPublicKey)


@dataclass(frozen=True, slots=True)
class _Known(Generic[Loaded]):
    """A key read from a file, and when the file was changed and looked at."""

    key: Loaded
    changed_at: int
    looked_at: float


class KeyMissingError(Exception):
    """A counterparty has not put its public key into the exchange folder yet."""


class KeyFiles:
    """
    The keys of the switch and of the other banks, and the pinned keys of the platform's bank.

    The bank's keys are read again when their files change, so that it may start later.
    """

    def __init__(self, *, data: Path, exchange: Path) -> None:
        data.mkdir(parents=True, exist_ok=True)
        exchange.mkdir(parents=True, exist_ok=True)
        self._exchange = exchange
        self._verifiers: dict[Path, _Known[signature.Verifier]] = {}
        self._issuers: dict[Path, _Known[rsa.RSAPublicKey]] = {}
        self.signing = OwnKeys(data, f"{world.SWITCH}.signing")
        self.credential = OwnKeys(data, f"{world.SWITCH}.credential")
        self._signers: dict[OwnKey, signature.Signer] = {}
        self.issuers = {
            bank.org_id: own_key(data / f"{bank.org_id}.credential.private.pem")
            for bank in world.OTHER_BANKS
        }
        self.links = LinkKeys(data)
        for key, name in (
            (self.signing.used().private, f"{world.SWITCH}.signing.pem"),
            (self.credential.used().private, f"{world.SWITCH}.credential.pem"),
            *((key, f"{org_id}.credential.pem") for org_id, key in self.issuers.items()),
        ):
            write(exchange / name, public_pem(key.public_key()), mode=0o644)

    def sign(self, canonical: bytes) -> bytes:
        """Return a message of the switch with a signature by the key that it uses now."""
        used = self.signing.used()
        if used not in self._signers:
            self._signers[used] = signature.Signer(private_pem(used.private))
        return self._signers[used].sign(canonical)

    def verifier(self, org_id: str) -> signature.Verifier:
        """
        Return the verifier with the pinned signing key of this organisation.

        Raises KeyMissingError.
        """
        path = self._exchange / f"{org_id}.signing.pem"
        return _current(self._verifiers, path, signature.Verifier)

    def public_of(self, org_id: str) -> rsa.RSAPublicKey:
        """
        Return the public key by which a member signs; another bank has one key for everything.

        Raises KeyMissingError.
        """
        if org_id in self.issuers:
            return self.issuers[org_id].public_key()
        return _current(self._issuers, self._exchange / f"{org_id}.signing.pem", load_public)

    def issuer_key(self, org_id: str) -> rsa.RSAPublicKey:
        """
        Return the public key to which credentials for this issuer are encrypted.

        Raises KeyMissingError.
        """
        return _current(self._issuers, self._exchange / f"{org_id}.credential.pem", load_public)


def load_public(pem: bytes) -> rsa.RSAPublicKey:
    """Read an RSA public key from PEM."""
    key = serialization.load_pem_public_key(pem)
    assert isinstance(key, rsa.RSAPublicKey), "credentials are encrypted to RSA keys"
    return key


def _current(
    known: dict[Path, _Known[Loaded]], path: Path, load: Callable[[bytes], Loaded]
) -> Loaded:
    found = known.get(path)
    if found is not None and time.monotonic() < found.looked_at + _LOOK_AGAIN_SECONDS:
        return found.key
    try:
        changed_at = path.stat().st_mtime_ns
    except FileNotFoundError as error:
        raise KeyMissingError(path.name) from error
    is_same = found is not None and found.changed_at == changed_at
    key = found.key if found is not None and is_same else load(path.read_bytes())
    known[path] = _Known(key, changed_at, time.monotonic())
    return key
