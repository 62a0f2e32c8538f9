"""The lists that the switch keeps: keys, PSPs and account providers."""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sandbox import clock, codec, world
from sandbox.codec import element
from sandbox.keys import KeyFiles, KeyMissingError

TOKEN_PARTS = 4
_VERSIONS = (
    ("1.0", "UPI 1.0 BASE VERSION"),
    ("2.0", "UPI 2.0: ALL TAG LEVEL CHANGES"),
)


def keys(files: KeyFiles, *, is_own_wanted: bool) -> codec.Element:
    """
    List the public keys: those of the switch, if they are wanted, and the members' signing keys.

    A key is valid from the day that its `ki` names until a key with a later day replaces it.
    """
    listed = []
    if is_own_wanted:
        listed += [
            key(world.SWITCH, "PKI", files.credential.public_key()),
            key(world.SWITCH, "SIGN", files.signing.public_key()),
        ]
    for bank in world.MEMBERS:
        try:
            listed.append(key(bank.org_id, "PKI", files.public_of(bank.org_id)))
        except KeyMissingError:
            continue
    return element("keyList", None, *listed)


def key(owner: str, kind: str, public: rsa.RSAPublicKey) -> codec.Element:
    """Write one public key: its value is the DER of SubjectPublicKeyInfo in base64."""
    value = element("keyValue")
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    value.text = base64.b64encode(der).decode()
    names = {"code": owner, "owner": owner, "type": kind, "ki": world.SWITCH_KEY_INDEX}
    return element("key", names, value)


def token(challenge: str) -> codec.Element:
    """Answer a device's challenge with the value by which it knows that it was registered."""
    device, application, mobile, _ = challenge.split("|")
    digest = hashlib.sha256(f"{application}|{mobile}|{device}".encode()).digest()
    value = element("keyValue")
    value.text = base64.b64encode(digest).decode()
    names = {"code": world.SWITCH, "owner": world.SWITCH, "type": "TOKEN"}
    return element("keyList", None, element("key", names | {"ki": world.SWITCH_KEY_INDEX}, value))


def psps() -> codec.Element:
    """List the PSPs with their handles."""
    listed = (
        element(
            "Psp",
            {"name": bank.name, "codes": ",".join(bank.handles), "active": "Y"} | _contact(bank),
            _versions(),
        )
        for bank in world.MEMBERS
    )
    return element("PspList", None, *listed)


def providers() -> codec.Element:
    """List the account providers with their branch codes."""
    listed = (
        element(
            "AccPvd",
            {"name": bank.name, "iin": bank.org_id, "ifsc": bank.ifsc, "active": "Y"}
            | _contact(bank)
            | {"prods": "AEPS,IMPS,CARD,NFS", "mobRegFormat": "FORMAT1"},
            _versions(),
        )
        for bank in world.MEMBERS
    )
    return element("AccPvdList", None, *listed)


def _contact(bank: world.Organisation) -> dict[str, str]:
    host = f"upi.{bank.handles[0]}.example"
    return {
        "url": f"https://{host}/",
        "spocName": "Operations",
        "spocEmail": f"operations@{bank.handles[0]}.example",
        "spocPhone": "911234567890",
        "lastModifedTs": clock.iso(clock.now()),
    }


def _versions() -> codec.Element:
    listed = (
        element("Version", {"no": number, "description": text, "mandatory": "TRUE"})
        for number, text in _VERSIONS
    )
    return element("VersionSupported", None, *listed)
