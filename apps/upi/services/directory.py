"""Keep the directory: who our peers are and which keys they use, from when until when."""

import datetime as dt
import hashlib

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from django.db import transaction

from apps.upi.errors import KeyRefusedError
from apps.upi.models import Organisation, PeerKey

# upi-protocol 5.1: keys are RSA of 2048 bits; more is no less.
KEY_BITS_MIN = 2048


@transaction.atomic
def register_key(
    organisation: str,
    purpose: PeerKey.Purpose,
    pem: bytes,
    *,
    valid_from_at: dt.datetime,
    valid_until_at: dt.datetime | None = None,
) -> PeerKey:
    """
    Enter a peer's public key; the organisation is entered with its first one.

    A key that is there already is returned as it is: registering again never revives or extends
    it. Raises KeyRefusedError.
    """
    key = _load(pem)
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    written = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    peer, _ = Organisation.objects.get_or_create(
        org_id=organisation, defaults={"name": organisation}
    )
    found, _ = PeerKey.objects.get_or_create(
        organisation=peer,
        purpose=purpose,
        fingerprint=hashlib.sha256(der).hexdigest(),
        defaults={
            "public_pem": written,
            "valid_from_at": valid_from_at,
            "valid_until_at": valid_until_at,
        },
    )
    return found


def revoke_key(key: PeerKey, *, at: dt.datetime) -> None:
    """End a key for good, at an instant."""
    PeerKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=at)


def _load(pem: bytes) -> RSAPublicKey:
    try:
        key = load_pem_public_key(pem)
    except ValueError as error:
        raise KeyRefusedError("the file is not a public key in PEM form") from error
    if not isinstance(key, RSAPublicKey) or key.key_size < KEY_BITS_MIN:
        raise KeyRefusedError("the key is not RSA of at least 2048 bits")
    return key
