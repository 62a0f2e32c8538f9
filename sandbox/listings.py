"""The lists that the switch keeps: keys, PSPs and account providers."""

import base64

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sandbox import clock, codec, library, world
from sandbox.codec import element
from sandbox.keys import KeyFiles, KeyMissingError
from sandbox.link_keys import LINK_KEYS, LinkKey, LinkKeys
from sandbox.own_keys import OwnKeys
from sandbox.pem import PublicKey

TOKEN_PARTS = 4
_VERSIONS = (
    ("1.0", "UPI 1.0 BASE VERSION"),
    ("2.0", "UPI 2.0: ALL TAG LEVEL CHANGES"),
)


def keys(files: KeyFiles) -> codec.Element:
    """
    List the switch's public keys and those by which members sign messages.

    A key is valid from the day that its `ki` names until a key with a later day replaces it.
    """
    return element(
        "keyList",
        None,
        *_own_keys("PKI", files.credential),
        *_own_keys("SIGN", files.signing),
        *_message_keys(files),
    )


def psp_keys(files: KeyFiles) -> codec.Element:
    """
    List the members' public keys: those by which they sign messages, and those for links.

    `owner` of a key for links is the PSP's name, as the list of PSPs has it. It counts from the
    day of its `ki` for as long as it is listed.
    """
    listed = [
        link_key(files.links, each, bank)
        for bank in world.OTHER_BANKS
        for each in LINK_KEYS
        if each.is_listed
    ]
    return element("keyList", None, *_message_keys(files), *listed)


def link_key(links: LinkKeys, wanted: LinkKey, bank: world.Organisation) -> codec.Element:
    """Write the public half of a bank's key for links."""
    public = links.public(wanted, org_id=bank.org_id)
    return key(bank.org_id, "SIGN", public, owner=bank.name, key_index=wanted.key_index)


def key(
    code: str,
    kind: str,
    public: PublicKey,
    *,
    owner: str = "",
    key_index: str = world.SWITCH_KEY_INDEX,
) -> codec.Element:
    """Write one public key: its value is the DER of SubjectPublicKeyInfo in base64."""
    value = element("keyValue")
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    value.text = base64.b64encode(der).decode()
    names = {"code": code, "owner": owner or code, "type": kind, "ki": key_index}
    return element("key", names, value)


def _own_keys(kind: str, keys: OwnKeys) -> list[codec.Element]:
    return [
        key(world.SWITCH, kind, listed.public, key_index=listed.key_index)
        for listed in keys.listed()
    ]


def _message_keys(files: KeyFiles) -> list[codec.Element]:
    listed = []
    for bank in world.MEMBERS:
        try:
            listed.append(key(bank.org_id, "PKI", files.public_of(bank.org_id)))
        except KeyMissingError:
            continue
    return listed


def token(challenge: str) -> codec.Element:
    """Answer a device's challenge with the value by which it knows that it was registered."""
    device, application, mobile, _ = challenge.split("|")
    value = element("keyValue")
    value.text = library.check_value(device_id=device, app_id=application, mobile=mobile)
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
