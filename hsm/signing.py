"""Signatures by keys that cannot leave the token, and the public halves of those keys."""

from collections.abc import Sequence

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from hsm import keys
from hsm.configuration import configuration
from hsm.errors import KeyMissingError
from hsm.sessions import TokenSession, pool

_SHOWN = frozenset({keys.SIGNING, keys.ISSUER, keys.HOST_TRANSPORT})


def sign(label: str, data: bytes) -> bytes:
    """
    Return the RSA PKCS#1 v1.5 signature over SHA-256 of `data`.

    Raises HsmUnavailableError, KeyMissingError, KeyUnfitError.
    """
    mechanism = configuration().profile.signature

    def work(session: TokenSession) -> bytes:
        signature: bytes = session.key(label, keys.SIGNING).sign(data, mechanism=mechanism)
        return signature

    return pool.run(work, operation="sign")


def sign_many(label: str, documents: Sequence[bytes]) -> list[bytes]:
    """Return the signature of each document, made several at once. Raises as `sign` does."""
    return pool.run_many(lambda data: sign(label, data), documents)


def public_key(label: str) -> rsa.RSAPublicKey:
    """
    Return the public half of a signing, issuer or transport key, as the private key states it.

    The public object of the same label is not asked: whoever can log in could replace it.
    Raises HsmUnavailableError, KeyMissingError, KeyUnfitError.
    """
    kind = keys.kind_of(label)
    if kind is None or kind not in _SHOWN:
        raise KeyMissingError(label)

    def work(session: TokenSession) -> rsa.RSAPublicKey:
        return keys.rsa_public_key(session.key(label, kind))

    return pool.run(work, operation="public_key")


def public_numbers(label: str) -> tuple[int, int]:
    """Return modulus and exponent, as an RSAKeyValue states them. Raises as `public_key` does."""
    numbers = public_key(label).public_numbers()
    return numbers.n, numbers.e


def public_pem(label: str) -> bytes:
    """Return the SubjectPublicKeyInfo as PEM. Raises as `public_key` does."""
    return public_key(label).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
