"""Who may sign links, with which keys, and for which addresses."""

import base64
import binascii
import functools
from collections.abc import Sequence

import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.conf import settings

from apps.common.addresses import VpaAddress
from apps.upi import selectors as directory
from apps.upi.links.signature import MERCHANT_SIGNER, PublicKey
from hsm import uri_signing

log = structlog.get_logger(__name__)


def keys_for(signer: str, address: VpaAddress) -> Sequence[PublicKey] | None:
    """
    Return the keys with which a signer may sign links to an address; None for nobody we know.

    A merchant signs for its own address with the keys that the directory lists. This bank signs
    for its own handles: a good signature of ours for an address elsewhere proves nothing. The
    directory names no keys of other PSPs. Raises hsm.errors.HsmError.
    """
    if signer == MERCHANT_SIGNER:
        merchant = directory.verified_merchant(str(address))
        return _listed_keys(merchant.keys) if merchant is not None else None
    if signer != settings.UPI_ORG_ID:
        return None
    return _our_keys() if address.handle in settings.UPI_HANDLES else []


def _our_keys() -> Sequence[PublicKey]:
    return [_our_key(label) for label in settings.HSM_URI_KEYS]


@functools.lru_cache(maxsize=16)
def _our_key(label: str) -> PublicKey:
    # A key's label is never given to another key, so the token is asked once a process.
    return uri_signing.public_key(label)


def _listed_keys(entries: Sequence[dict[str, str]]) -> list[PublicKey]:
    found = (_listed_key(entry["value"]) for entry in entries)
    return [key for key in found if key is not None]


def _listed_key(value: str) -> PublicKey | None:
    """Read a key as the directory lists it: DER in base64. What is of no kind of ours is None."""
    try:
        key = load_der_public_key(base64.b64decode("".join(value.split()), validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        log.warning("listed_key_unreadable")
        return None
    return key if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) else None
