"""
Check the signature of a link, by whichever of two algorithms its signer's key is for.

The specification's text speaks of RSA and its samples are ECDSA (upi-protocol 6.3), so both are
taken, each with SHA-256: RSA by PKCS#1 v1.5 from 2048 bits on, ECDSA on P-256 in DER form.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from apps.common.addresses import VpaAddress
from apps.upi.links.intent import ReadLink

# A link signed by the merchant itself names no organisation (upi-protocol 6.2).
MERCHANT_SIGNER = "000000"

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
# The keys with which a signer (`orgid`) may sign for an address; None for a signer nobody knows.
KeysFor = Callable[[str, VpaAddress], Sequence[PublicKey] | None]


class SignatureStatus(StrEnum):
    """What the signature of a link proves."""

    VERIFIED = "verified"
    UNSIGNED = "unsigned"
    BAD = "bad"
    UNKNOWN_SIGNER = "unknown_signer"


def judge(link: ReadLink, keys_for: KeysFor, *, rsa_bits_min: int) -> SignatureStatus:
    """Return what the signature proves; keys of the signer that are too short prove nothing."""
    if link.signature is None:
        return SignatureStatus.UNSIGNED
    keys = keys_for(link.intent.signer, link.intent.payee)
    if keys is None:
        return SignatureStatus.UNKNOWN_SIGNER
    data = link.signed_text.encode("utf-8")
    if any(is_by(key, link.signature, data, rsa_bits_min=rsa_bits_min) for key in keys):
        return SignatureStatus.VERIFIED
    return SignatureStatus.BAD


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
