"""Who may sign links, with which keys, and for which addresses."""

import functools
from collections.abc import Sequence

from django.conf import settings

from apps.common.addresses import VpaAddress
from apps.upi.links.signature import PublicKey
from hsm import uri_signing


def keys_for(signer: str, address: VpaAddress) -> Sequence[PublicKey] | None:
    """
    Return the keys with which a signer may sign links to an address; None for nobody we know.

    An organisation signs for the handles that are its own: a good signature for an address
    elsewhere proves nothing. Raises hsm.errors.HsmError.
    """
    if signer != settings.UPI_ORG_ID:
        return None
    return _our_keys() if address.handle in settings.UPI_HANDLES else []


def _our_keys() -> Sequence[PublicKey]:
    return [_our_key(label) for label in settings.HSM_URI_KEYS]


@functools.lru_cache(maxsize=16)
def _our_key(label: str) -> PublicKey:
    # A key's label is never given to another key, so the token is asked once a process.
    return uri_signing.public_key(label)
