"""
A phone's common library and the switch's side of it: how a phone registers (upi-protocol 5.3).

The challenge carries the keys that the library made, encrypted to the switch. By the check value
the library knows that its own phone was registered.
"""

import base64
import binascii
import hashlib
import re
import secrets

from cryptography.hazmat.primitives.asymmetric import padding, rsa

_KEY_BYTES = 32
_CONTENT = re.compile(rb"[0-9a-f]{64}\|[0-9a-f]{64}\|(.+)", re.DOTALL)


def make_challenge(device_id: str, switch_key: rsa.RSAPublicKey) -> str:
    """Make a token and a first key, and encrypt them with the phone's id to the switch."""
    made = [secrets.token_hex(_KEY_BYTES) for _ in ("token", "K0")]
    content = "|".join((*made, device_id)).encode()
    return base64.b64encode(switch_key.encrypt(content, padding.PKCS1v15())).decode()


def is_challenge_of(device_id: str, challenge: str, switch_key: rsa.RSAPrivateKey) -> bool:
    """Say whether a challenge can be opened and is that of this phone."""
    try:
        content = switch_key.decrypt(base64.b64decode(challenge, validate=True), padding.PKCS1v15())
    except (binascii.Error, ValueError):
        return False
    # A wrong padding gives random bytes here, not an error: they have another form.
    found = _CONTENT.fullmatch(content)
    return found is not None and found[1] == device_id.encode()


def check_value(*, device_id: str, app_id: str, mobile: str) -> str:
    """Return what the switch answers for a phone that it registered."""
    digest = hashlib.sha256(f"{app_id}|{mobile}|{device_id}".encode()).digest()
    return base64.b64encode(digest).decode()
