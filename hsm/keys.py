"""The kinds of keys the bank has: what each may do, how it is made, and how it is judged."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pkcs11 import Attribute, KeyType, MechanismFlag, Object, ObjectClass

RSA_BITS = 2048
SECRET_BITS = 256
RSA_PUBLIC_EXPONENT = (65537).to_bytes(3, "big")
# RFC 5480: the object identifier of P-256 in DER form; a point on it is an octet string of 65.
P256 = bytes.fromhex("06082a8648ce3d030107")
_POINT_HEAD = b"\x04\x41"

# What a private or secret key can be allowed to do; SIGN_RECOVER is on by default in SoftHSM.
_USES = {
    ObjectClass.PRIVATE_KEY: (
        Attribute.DECRYPT,
        Attribute.SIGN,
        Attribute.SIGN_RECOVER,
        Attribute.UNWRAP,
        Attribute.DERIVE,
    ),
    ObjectClass.SECRET_KEY: (
        Attribute.ENCRYPT,
        Attribute.DECRYPT,
        Attribute.SIGN,
        Attribute.VERIFY,
        Attribute.WRAP,
        Attribute.UNWRAP,
        Attribute.DERIVE,
    ),
    ObjectClass.PUBLIC_KEY: (
        Attribute.ENCRYPT,
        Attribute.VERIFY,
        Attribute.VERIFY_RECOVER,
        Attribute.WRAP,
        Attribute.DERIVE,
    ),
}
USES = tuple(sorted({use for uses in _USES.values() for use in uses}, key=lambda use: use.name))

# MODIFIABLE comes last: SoftHSM applies a template in order, and nothing after it would be taken.
_SEALED = {
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.COPYABLE: False,
    Attribute.MODIFIABLE: False,
}
# What the token itself remembers of a key that was born in it and never could leave.
_BORN_HERE = {
    Attribute.LOCAL: True,
    Attribute.ALWAYS_SENSITIVE: True,
    Attribute.NEVER_EXTRACTABLE: True,
}
# Of a key that came in wrapped it remembers that it was elsewhere before, and nothing better.
_CAME_WRAPPED = dict.fromkeys(_BORN_HERE, False)

# What says how strong a pair is; secret keys have a length.
_SIZES: dict[KeyType, dict[Attribute, Any]] = {
    KeyType.RSA: {Attribute.PUBLIC_EXPONENT: RSA_PUBLIC_EXPONENT},
    KeyType.EC: {Attribute.EC_PARAMS: P256},
}


@dataclass(frozen=True, slots=True)
class KeyKind:
    """One purpose, and the only uses a key of that purpose has."""

    name: str
    label: re.Pattern[str]
    object_class: ObjectClass
    key_type: KeyType
    uses: frozenset[Attribute]
    flags: MechanismFlag
    # Made by a counterparty and unwrapped here: never made here, or the other side would lack it.
    comes_wrapped: bool = False

    def template(self) -> dict[Attribute, Any]:
        """Return the attributes with which such a key is made."""
        return {**self._allowed(self.object_class, self.uses), **_SEALED}

    def public_template(self) -> dict[Attribute, Any]:
        """Return the attributes of the public half: it is there to be read, and does nothing."""
        return {
            Attribute.PRIVATE: False,
            **self._allowed(ObjectClass.PUBLIC_KEY, frozenset()),
            Attribute.COPYABLE: False,
            Attribute.MODIFIABLE: False,
        }

    def faults(self, attributes: Mapping[Attribute, Any]) -> list[str]:
        """Return what is wrong with a private or secret key of this kind; nothing if it fits."""
        expected = {
            Attribute.CLASS: self.object_class,
            Attribute.TOKEN: True,
            Attribute.KEY_TYPE: self.key_type,
            **self._size(attributes),
            **self.template(),
            **(_CAME_WRAPPED if self.comes_wrapped else _BORN_HERE),
        }
        faults = _differences(expected, attributes)
        modulus = attributes.get(Attribute.MODULUS, b"")
        if self.key_type is KeyType.RSA and int.from_bytes(modulus, "big").bit_length() != RSA_BITS:
            faults.append(f"the modulus does not have {RSA_BITS} bits")
        return faults

    def public_faults(self, attributes: Mapping[Attribute, Any]) -> list[str]:
        """Return what is wrong with the public half of a pair."""
        expected = {Attribute.TOKEN: True, Attribute.LOCAL: True, **self.public_template()}
        return _differences(expected, attributes)

    def _size(self, attributes: Mapping[Attribute, Any]) -> dict[Attribute, Any]:
        if self.comes_wrapped and not attributes.get(Attribute.VALUE_LEN):
            # SoftHSM does not say how long a key is that came wrapped: it was seen at its import.
            return {}
        return _SIZES.get(self.key_type, {Attribute.VALUE_LEN: SECRET_BITS // 8})

    @staticmethod
    def _allowed(object_class: ObjectClass, uses: frozenset[Attribute]) -> dict[Attribute, bool]:
        return {use: use in uses for use in _USES[object_class]}


SIGNING = KeyKind(
    name="signing",
    label=re.compile(r"xml-signing-[0-9]{1,4}"),
    object_class=ObjectClass.PRIVATE_KEY,
    key_type=KeyType.RSA,
    uses=frozenset({Attribute.SIGN}),
    flags=MechanismFlag.SIGN,
)
# The eight digits are the key index `ki` of a credential (upi-protocol: credentials).
ISSUER = KeyKind(
    name="issuer",
    label=re.compile(r"issuer-[0-9]{8}"),
    object_class=ObjectClass.PRIVATE_KEY,
    key_type=KeyType.RSA,
    uses=frozenset({Attribute.UNWRAP}),
    flags=MechanismFlag.UNWRAP,
)
PIN_VERIFICATION = KeyKind(
    name="pin verification",
    label=re.compile(r"pin-verification-[0-9]{1,4}"),
    object_class=ObjectClass.SECRET_KEY,
    key_type=KeyType.AES,
    uses=frozenset({Attribute.WRAP}),
    flags=MechanismFlag.WRAP,
)
# To check a MAC is to make it again, so both are one use.
MAC = KeyKind(
    name="mac",
    label=re.compile(r"mac-[0-9]{1,4}"),
    object_class=ObjectClass.SECRET_KEY,
    key_type=KeyType.GENERIC_SECRET,
    uses=frozenset({Attribute.SIGN, Attribute.VERIFY}),
    flags=MechanismFlag.SIGN | MechanismFlag.VERIFY,
)
# Two kinds for one purpose, for UPI's documents disagree on the algorithm (upi-protocol 6.3).
URI_RSA = KeyKind(
    name="URI signing by RSA",
    label=re.compile(r"uri-rsa-[0-9]{1,4}"),
    object_class=ObjectClass.PRIVATE_KEY,
    key_type=KeyType.RSA,
    uses=frozenset({Attribute.SIGN}),
    flags=MechanismFlag.SIGN,
)
URI_EC = KeyKind(
    name="URI signing by ECDSA",
    label=re.compile(r"uri-ec-[0-9]{1,4}"),
    object_class=ObjectClass.PRIVATE_KEY,
    key_type=KeyType.EC,
    uses=frozenset({Attribute.SIGN}),
    flags=MechanismFlag.SIGN,
)
# Core banking's host wraps its MAC key for this one, and nothing else is ever opened with it.
HOST_TRANSPORT = KeyKind(
    name="host transport",
    label=re.compile(r"host-transport-[0-9]{1,4}"),
    object_class=ObjectClass.PRIVATE_KEY,
    key_type=KeyType.RSA,
    uses=frozenset({Attribute.UNWRAP}),
    flags=MechanismFlag.UNWRAP,
)
HOST_MAC = KeyKind(
    name="host mac",
    label=re.compile(r"host-mac-[0-9]{1,4}"),
    object_class=ObjectClass.SECRET_KEY,
    key_type=KeyType.AES,
    uses=frozenset({Attribute.SIGN, Attribute.VERIFY}),
    flags=MechanismFlag.SIGN | MechanismFlag.VERIFY,
    comes_wrapped=True,
)
KINDS = (
    *(SIGNING, ISSUER, PIN_VERIFICATION, MAC, URI_RSA, URI_EC),
    *(HOST_TRANSPORT, HOST_MAC),
)

PROTECTIONS = (*_SEALED, *_BORN_HERE)
OBJECT_CLASSES = frozenset(_USES)

# Everything that is read to judge or to list a key; none of it is secret.
_READ = [
    Attribute.CLASS,
    Attribute.KEY_TYPE,
    Attribute.LABEL,
    Attribute.TOKEN,
    *PROTECTIONS,
    *USES,
    Attribute.VALUE_LEN,
    Attribute.MODULUS,
    Attribute.PUBLIC_EXPONENT,
    Attribute.EC_PARAMS,
    Attribute.EC_POINT,
    Attribute.CHECK_VALUE,
]


def kind_of(label: str) -> KeyKind | None:
    """Return the kind of key that bears such a label, if any does."""
    return next((kind for kind in KINDS if kind.label.fullmatch(label)), None)


def attributes_of(key: Object) -> dict[Attribute, Any]:
    """Read what may be known of a key. Raises PKCS11Error."""
    read = key.get_attributes(_READ)
    return {Attribute.LABEL: "", **{Attribute(number): value for number, value in read.items()}}


def rsa_public_key(private_key: Any) -> rsa.RSAPublicKey:
    """Return the public half of a private key in the token, which states it itself."""
    return rsa.RSAPublicNumbers(
        n=int.from_bytes(private_key[Attribute.MODULUS], "big"),
        e=int.from_bytes(private_key[Attribute.PUBLIC_EXPONENT], "big"),
    ).public_key()


def ec_public_key(attributes: Mapping[Attribute, Any]) -> ec.EllipticCurvePublicKey | None:
    """Return the P-256 key that a public object states, None if it states none."""
    point = attributes.get(Attribute.EC_POINT, b"")
    if attributes.get(Attribute.EC_PARAMS) != P256 or not point.startswith(_POINT_HEAD):
        return None
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(
            ec.SECP256R1(), point.removeprefix(_POINT_HEAD)
        )
    except ValueError:
        return None


def _differences(expected: Mapping[Attribute, Any], found: Mapping[Attribute, Any]) -> list[str]:
    return [
        f"{attribute.name} is {found.get(attribute, 'not set')}"
        for attribute, value in expected.items()
        if found.get(attribute) != value
    ]
