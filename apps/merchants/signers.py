"""Who may sign links, with which keys, and for which addresses."""

import datetime as dt
import functools
from collections.abc import Sequence

import structlog
from django.conf import settings

from apps.common.addresses import VpaAddress
from apps.upi import selectors as directory
from apps.upi.links.signature import MERCHANT_SIGNER, PublicKey, SignerKeys, read_key
from hsm import uri_signing

log = structlog.get_logger(__name__)


def keys_for(signer: str, address: VpaAddress, *, at: dt.datetime) -> SignerKeys | None:
    """
    Return the keys with which a signer may sign links to an address; None for nobody we know.

    A merchant signs for its own address with the keys that the directory lists. A PSP, this bank
    among them, signs for its own handles: its good signature for an address elsewhere proves
    nothing. Raises hsm.errors.HsmError.
    """
    if signer == MERCHANT_SIGNER:
        merchant = directory.verified_merchant(str(address))
        return SignerKeys(_listed_keys(merchant.keys)) if merchant is not None else None
    if signer == settings.UPI_ORG_ID:
        return SignerKeys(_our_keys() if address.handle in settings.UPI_HANDLES else [])
    return _keys_of_psp(signer, address, at=at)


def _keys_of_psp(signer: str, address: VpaAddress, *, at: dt.datetime) -> SignerKeys | None:
    psp = directory.psp_of_handle(address.handle)
    rows = directory.psp_keys(signer)
    if not rows:
        return None
    own = [row for row in rows if psp is not None and psp.is_active and row.owner == psp.name]
    present = [row for row in own if row.is_valid(at=at)]
    others = [row for row in own if not row.is_valid(at=at)]
    return SignerKeys([_key(row.value) for row in present], [_key(row.value) for row in others])


def _our_keys() -> Sequence[PublicKey]:
    return [_our_key(label) for label in settings.HSM_URI_KEYS]


@functools.lru_cache(maxsize=16)
def _our_key(label: str) -> PublicKey:
    # A key's label is never given to another key, so the token is asked once a process.
    return uri_signing.public_key(label)


@functools.lru_cache(maxsize=256)
def _key(value: str) -> PublicKey:
    return read_key(value)


def _listed_keys(entries: Sequence[dict[str, str]]) -> list[PublicKey]:
    found = (_listed_key(entry["value"]) for entry in entries)
    return [key for key in found if key is not None]


def _listed_key(value: str) -> PublicKey | None:
    try:
        return _key(value)
    except ValueError:
        log.warning("listed_key_unreadable")
        return None
