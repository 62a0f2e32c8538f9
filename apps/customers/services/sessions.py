"""Begin and end sessions: a challenge, signed by the key of the bound device."""

import base64
import binascii
import functools
import re
import secrets
import uuid

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import settings
from django.db import connection
from django.db.models import F

from apps.common import ids
from apps.common.secret import Secret
from apps.customers import selectors, session_store
from apps.customers.contracts import CustomerPrincipal, Session
from apps.customers.errors import DeviceNotBoundError, UnauthenticatedError
from apps.customers.models import Device
from apps.customers.session_store import StoredSession

TOKEN_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_KEYS_KEPT_MAX = 4096
_COUNT = """
    UPDATE customers_device SET session_number = session_number + 1 WHERE id = %s
    RETURNING session_number
"""


def make_challenge(device_id: str) -> str:
    """Return a challenge for a device; whether there is such a device is not told."""
    challenge = secrets.token_urlsafe(TOKEN_BYTES)
    session_store.put_challenge(challenge, device_id=device_id)
    return challenge


def begin_session(*, device_id: str, challenge: str, signature: str) -> Session:
    """
    Begin a session for the device that signed its challenge; the device's earlier one ends.

    `signature` is base64 of the DER ECDSA signature over `signed_text`. Raises
    UnauthenticatedError, whatever of it was wrong; DeviceNotBoundError for the right key of a
    device that was unbound.
    """
    if session_store.take_challenge(challenge) != device_id:
        raise UnauthenticatedError
    device = selectors.device(ids.parse_public_id("dev", device_id))
    if device is None or not _is_signed(device, signed_text(device_id, challenge), signature):
        raise UnauthenticatedError
    if device.state != Device.State.BOUND:
        raise DeviceNotBoundError
    return _open(device)


def signed_text(device_id: str, challenge: str) -> bytes:
    """Return what the device signs."""
    return f"upi-session|{device_id}|{challenge}".encode()


def authenticate(token: str) -> CustomerPrincipal:
    """
    Return who a token stands for.

    The token is found in Redis, the binding in PostgreSQL at every request, so that an unbound
    device is refused at once. Raises UnauthenticatedError, DeviceNotBoundError.
    """
    session = session_store.get_session(token) if _TOKEN.fullmatch(token) else None
    if session is None:
        raise UnauthenticatedError
    owner = selectors.session_owner(session.device_id)
    if owner is None or not owner.is_active:
        raise UnauthenticatedError
    if not owner.is_bound:
        raise DeviceNotBoundError
    if owner.session_number != session.session_number:
        raise UnauthenticatedError
    return CustomerPrincipal(customer_id=session.customer_id, device_id=session.device_id)


def end_session(device_id: uuid.UUID) -> None:
    """End the device's session; its token is refused from now on, with or without Redis."""
    Device.objects.filter(pk=device_id).update(session_number=F("session_number") + 1)


def _open(device: Device) -> Session:
    number = _count_session(device.pk)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session_store.put_session(token, StoredSession(device.customer_id, device.pk, number))
    return Session(
        token=Secret(token),
        customer_id=device.customer_id,
        name=device.customer.name,
        address=selectors.message_address(device.customer.mobile),
        life_seconds=settings.SESSION_LIFE_SECONDS,
    )


def _count_session(device_id: uuid.UUID) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [device_id])
        (number,) = cursor.fetchone()
    return int(number)


def _is_signed(device: Device, text: bytes, signature: str) -> bool:
    try:
        raw = base64.b64decode(signature, validate=True)
        _public_key(device.public_key_pem).verify(raw, text, ec.ECDSA(hashes.SHA256()))
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True


@functools.lru_cache(maxsize=_KEYS_KEPT_MAX)
def _public_key(pem: str) -> ec.EllipticCurvePublicKey:
    key = load_pem_public_key(pem.encode())
    assert isinstance(key, ec.EllipticCurvePublicKey), "bind_device stores P-256 keys only"
    return key
