"""
Sign webhooks as Standard Webhooks says, and check such a signature as merchants should.

The signature covers id, timestamp and the raw bytes: a body that was parsed and written again
does not fit any more. Source: the Standard Webhooks specification, symmetric signatures (v1).
"""

import base64
import datetime as dt
import hashlib
import hmac
import re
import uuid
from collections.abc import Mapping, Sequence

from django.conf import settings

from apps.common.secret import Secret
from hsm.mac import mac

TOLERANCE = dt.timedelta(seconds=300)
ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
_ID = re.compile(r"evt_[0-9a-z]{26}")
_SECONDS = re.compile(r"[0-9]{1,12}")


def secret_of(endpoint_id: uuid.UUID, version: int) -> Secret[bytes]:
    """Derive an endpoint's secret in the HSM: it is stored nowhere, and each version is its own."""
    return Secret(mac(settings.HSM_MAC_KEY, f"webhook|{endpoint_id.hex}|{version}".encode()))


def shown(secret: Secret[bytes]) -> str:
    """Write a secret as the merchant gets it, once."""
    return f"whsec_{base64.b64encode(secret.reveal()).decode()}"


def headers(
    event_id: str, body: bytes, secrets: Sequence[Secret[bytes]], *, at: dt.datetime
) -> dict[str, str]:
    """Return the headers of a delivery; while a secret is rotated, both sign."""
    timestamp = str(int(at.timestamp()))
    signatures = [_signature(event_id, timestamp, body, secret) for secret in secrets]
    return {
        ID_HEADER: event_id,
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: " ".join(signatures),
    }


def is_genuine(
    received: Mapping[str, str], body: bytes, secrets: Sequence[Secret[bytes]], *, at: dt.datetime
) -> bool:
    """
    Tell whether we signed these bytes within the last five minutes: the reference for merchants.

    Whoever receives also remembers the ids it has seen, for a delivery may come twice.
    """
    event_id = received.get(ID_HEADER, "")
    timestamp = received.get(TIMESTAMP_HEADER, "")
    if not _ID.fullmatch(event_id) or not _SECONDS.fullmatch(timestamp):
        return False
    age = at - dt.datetime.fromtimestamp(int(timestamp), tz=dt.UTC)
    if abs(age) > TOLERANCE:
        return False
    given = received.get(SIGNATURE_HEADER, "").split(" ")
    expected = [_signature(event_id, timestamp, body, secret) for secret in secrets]
    return any(hmac.compare_digest(one, other) for one in given for other in expected)


def _signature(event_id: str, timestamp: str, body: bytes, secret: Secret[bytes]) -> str:
    content = f"{event_id}.{timestamp}.".encode() + body
    digest = hmac.new(secret.reveal(), content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
