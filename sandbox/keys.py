"""The sandbox's keys: private halves in files of its own, public halves exchanged as PEM files."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox import signature, world

_KEY_BITS = 2048
_EXPONENT = 65537

Loaded = TypeVar("Loaded", signature.Verifier, rsa.RSAPublicKey)


class KeyMissingError(Exception):
    """A counterparty has not put its public key into the exchange folder yet."""


class KeyFiles:
    """
    The keys of the switch and of the other bank, and the pinned keys of the platform's bank.

    The bank's keys are read again whenever their files change, so that it may start later.
    """

    def __init__(self, *, data: Path, exchange: Path) -> None:
        data.mkdir(parents=True, exist_ok=True)
        exchange.mkdir(parents=True, exist_ok=True)
        self._exchange = exchange
        self._verifiers: dict[Path, tuple[int, signature.Verifier]] = {}
        self._issuers: dict[Path, tuple[int, rsa.RSAPublicKey]] = {}
        signing = _own_key(data / f"{world.SWITCH}.signing.private.pem")
        self.credential = _own_key(data / f"{world.SWITCH}.credential.private.pem")
        self.other_issuer = _own_key(data / f"{world.OTHER_BANK}.credential.private.pem")
        self.signer = signature.Signer(_private_pem(signing))
        for key, name in (
            (signing, f"{world.SWITCH}.signing.pem"),
            (self.credential, f"{world.SWITCH}.credential.pem"),
            (self.other_issuer, f"{world.OTHER_BANK}.credential.pem"),
        ):
            _write(exchange / name, _public_pem(key), mode=0o644)

    def verifier(self, org_id: str) -> signature.Verifier:
        """
        Return the verifier with the pinned signing key of this organisation.

        Raises KeyMissingError.
        """
        path = self._exchange / f"{org_id}.signing.pem"
        return _current(self._verifiers, path, signature.Verifier)

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
    known: dict[Path, tuple[int, Loaded]], path: Path, load: Callable[[bytes], Loaded]
) -> Loaded:
    try:
        changed_at = path.stat().st_mtime_ns
    except FileNotFoundError as error:
        raise KeyMissingError(path.name) from error
    if path not in known or known[path][0] != changed_at:
        known[path] = (changed_at, load(path.read_bytes()))
    return known[path][1]


def _own_key(path: Path) -> rsa.RSAPrivateKey:
    if not path.exists():
        made = rsa.generate_private_key(public_exponent=_EXPONENT, key_size=_KEY_BITS)
        _write(path, _private_pem(made), mode=0o600)
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey), f"{path.name} is not an RSA key"
    return key


def _write(path: Path, content: bytes, *, mode: int) -> None:
    # Written aside and renamed: a reader never sees half a key.
    if path.exists() and path.read_bytes() == content:
        return
    aside = path.with_suffix(".new")
    aside.touch(mode=mode)
    aside.write_bytes(content)
    aside.rename(path)


def _private_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _public_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
