"""
Check the signature of a link, by whichever of two algorithms its signer's key is for.

The specification's text speaks of RSA and its samples are ECDSA (upi-protocol 6.3), so both are
taken, each with SHA-256: RSA by PKCS#1 v1.5 from 2048 bits on, ECDSA on P-256 in DER form.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from apps.common.addresses import VpaAddress
from apps.upi.links.intent import ReadLink

# A link signed by the merchant itself names no organisation (upi-protocol 6.2).
MERCHANT_SIGNER = "000000"

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


@dataclass(frozen=True, slots=True)
class SignerKeys:
    """The keys of a signer: those that count now, and those that did once or will one day."""

    present: Sequence[PublicKey]
    others: Sequence[PublicKey] = ()


# The keys with which a signer (`orgid`) may sign for an address; None for a signer nobody knows.
KeysFor = Callable[[str, VpaAddress], SignerKeys | None]


class SignatureStatus(StrEnum):
    """What the signature of a link proves."""

    VERIFIED = "verified"
    UNSIGNED = "unsigned"
    BAD = "bad"
    KEY_NOT_VALID = "key_not_valid"
    UNKNOWN_SIGNER = "unknown_signer"


def judge(link: ReadLink, keys_for: KeysFor, *, rsa_bits_min: int) -> SignatureStatus:
    """Return what the signature proves; keys of the signer that are too short prove nothing."""
    if link.signature is None:
        return SignatureStatus.UNSIGNED
    keys = keys_for(link.intent.signer, link.intent.payee)
    if keys is None:
        return SignatureStatus.UNKNOWN_SIGNER
    if _is_by_any(keys.present, link, link.signature, rsa_bits_min=rsa_bits_min):
        return SignatureStatus.VERIFIED
    if _is_by_any(keys.others, link, link.signature, rsa_bits_min=rsa_bits_min):
        return SignatureStatus.KEY_NOT_VALID
    return SignatureStatus.BAD


def read_key(value: str) -> PublicKey:
    """
    Read a key as the switch lists it: DER in base64, of a kind that signs links.

    Raises ValueError.
    """
    try:
        key = load_der_public_key(base64.b64decode("".join(value.split()), validate=True))
    except (binascii.Error, UnsupportedAlgorithm) as error:
        raise ValueError("the key is not DER in base64") from error
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        # An error of the value: the DER is sound, the kind of key is none of ours.
        raise ValueError("the key is neither RSA nor elliptic")  # noqa: TRY004
    return key


def _is_by_any(
    keys: Sequence[PublicKey], link: ReadLink, signature: bytes, *, rsa_bits_min: int
) -> bool:
    data = link.signed_text.encode("utf-8")
    return any(is_by(key, signature, data, rsa_bits_min=rsa_bits_min) for key in keys)


def is_by(key: PublicKey, signature: bytes, data: bytes, *, rsa_bits_min: int) -> bool:
    """Tell whether a key that is good enough signed the data."""
    try:
        if isinstance(key, rsa.RSAPublicKey):
            if key.key_size < rsa_bits_min:
                return False
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        else:
            if not isinstance(key.curve, ec.SECP256R1):
                return False
            key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
