"""The keys with which the other banks sign payment links, and links signed with them."""

import base64
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from sandbox.pem import PrivateKey, PublicKey, private_pem, write

_RSA_BITS = 2048
_EXPONENT = 65537


@dataclass(frozen=True, slots=True)
class LinkKey:
    """One key of a bank: the index is the first day on which it counts."""

    name: str
    key_index: str
    is_rsa: bool
    is_listed: bool = True


# Two keys are live while one replaces the other, a third is announced, and one had its time.
LINK_KEYS = (
    LinkKey("rsa", "20240101", is_rsa=True),
    LinkKey("ec", "20250101", is_rsa=False),
    LinkKey("next", "20991231", is_rsa=False),
    LinkKey("retired", "20230101", is_rsa=False, is_listed=False),
)


class LinkKeys:
    """The link keys of the other banks, each made when it is first wanted."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def public(self, wanted: LinkKey, *, org_id: str) -> PublicKey:
        """Return the public half of a bank's key."""
        return self._key(org_id, wanted).public_key()

    def sign(self, text: str, *, org_id: str, name: str) -> str:
        """Return a link with a bank's signature as its last parameter (upi-protocol 6.3)."""
        [wanted] = [each for each in LINK_KEYS if each.name == name]
        return with_signature(text, self._key(org_id, wanted))

    def _key(self, org_id: str, wanted: LinkKey) -> PrivateKey:
        path = self._data / f"{org_id}.link-{wanted.name}.private.pem"
        if not path.exists():
            write(path, private_pem(_new_key(is_rsa=wanted.is_rsa)), mode=0o600)
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey), path.name
        return key


def with_signature(text: str, key: PrivateKey) -> str:
    """Sign a link: RSA by PKCS #1 v1.5 or ECDSA in DER form, each over SHA-256."""
    data = text.encode()
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    else:
        signature = key.sign(data, ec.ECDSA(hashes.SHA256()))
    return f"{text}&sign={quote(base64.b64encode(signature).decode(), safe='')}"


def _new_key(*, is_rsa: bool) -> PrivateKey:
    if is_rsa:
        return rsa.generate_private_key(public_exponent=_EXPONENT, key_size=_RSA_BITS)
    return ec.generate_private_key(ec.SECP256R1())
