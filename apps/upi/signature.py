"""
XML signatures of the UPI profile: enveloped, inclusive C14N, RSA-SHA256, key by value.

Only that profile exists here. Its few degrees of freedom are text, so a signature is compared with
the profile piece by piece rather than interpreted: no transform, address or key is ever followed.
Source: upi-protocol 5.1.
"""

import base64
import binascii
import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.conf import settings
from lxml import etree

from apps.upi import xml
from apps.upi.errors import SignatureRefusedError
from hsm import signing

_DSIG = "http://www.w3.org/2000/09/xmldsig#"
_C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
_RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_ENVELOPED = f"{_DSIG}enveloped-signature"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"

# The switch's codes for trouble with a message's integrity (upi-protocol 4.7).
_CHECKSUM = "U15"
_INTEGRITY = "U55"
_FORM = "U05"

# SignedInfo as inclusive C14N writes it inside our documents: it inherits the root's namespace.
_SIGNED_INFO = (
    f'<SignedInfo xmlns="{_DSIG}" xmlns:upi="{xml.NAMESPACE}">'
    f'<CanonicalizationMethod Algorithm="{_C14N}"></CanonicalizationMethod>'
    f'<SignatureMethod Algorithm="{_RSA_SHA256}"></SignatureMethod>'
    '<Reference URI="">'
    f'<Transforms><Transform Algorithm="{_ENVELOPED}"></Transform></Transforms>'
    f'<DigestMethod Algorithm="{_SHA256}"></DigestMethod>'
    "<DigestValue>%s</DigestValue></Reference></SignedInfo>"
)
_SIGNATURE = (
    f'<Signature xmlns="{_DSIG}">%s<SignatureValue>%s</SignatureValue>'
    "<KeyInfo><KeyValue><RSAKeyValue><Modulus>%s</Modulus><Exponent>%s</Exponent>"
    "</RSAKeyValue></KeyValue></KeyInfo></Signature>"
)
_INHERITED = f' xmlns="{_DSIG}" xmlns:upi="{xml.NAMESPACE}"'

# What a Signature consists of, in order: depth, name, attributes, and whether it holds a text.
_PROFILE: tuple[tuple[int, str, dict[str, str], bool], ...] = (
    (0, "Signature", {}, False),
    (1, "SignedInfo", {}, False),
    (2, "CanonicalizationMethod", {"Algorithm": _C14N}, False),
    (2, "SignatureMethod", {"Algorithm": _RSA_SHA256}, False),
    (2, "Reference", {"URI": ""}, False),
    (3, "Transforms", {}, False),
    (4, "Transform", {"Algorithm": _ENVELOPED}, False),
    (3, "DigestMethod", {"Algorithm": _SHA256}, False),
    (3, "DigestValue", {}, True),
    (1, "SignatureValue", {}, True),
    (1, "KeyInfo", {}, False),
    (2, "KeyValue", {}, False),
    (3, "RSAKeyValue", {}, False),
    (4, "Modulus", {}, True),
    (4, "Exponent", {}, True),
)
_MODULUS_BITS_MIN = 2048


@dataclass(frozen=True, slots=True)
class Verified:
    """The bytes that a known key signed, in canonical form, and what proves it."""

    body: bytes
    signed_info: str
    signature_value: str


@dataclass(frozen=True, slots=True)
class _Parts:
    digest: bytes
    signature: bytes
    numbers: tuple[int, int]
    signed_info: bytes
    signature_value: str


def sign(body: bytes) -> bytes:
    """Return a canonical document with our signature as the last child of its root."""
    return sign_many([body])[0]


def sign_many(bodies: Sequence[bytes]) -> list[bytes]:
    """Sign canonical documents in the token, in parallel. Raises hsm.errors.HsmError."""
    label = settings.HSM_SIGNING_KEY
    infos = [
        _SIGNED_INFO % base64.b64encode(hashlib.sha256(body).digest()).decode() for body in bodies
    ]
    values = signing.sign_many(label, [info.encode() for info in infos])
    modulus, exponent = _key_texts(label)
    return [
        _append(
            body,
            _SIGNATURE
            % (
                info.replace(_INHERITED, "", 1),
                base64.b64encode(value).decode(),
                modulus,
                exponent,
            ),
        )
        for body, info, value in zip(bodies, infos, values, strict=True)
    ]


def _append(body: bytes, signature: str) -> bytes:
    # Canonical bytes end with the root's end tag, and never have an empty-element tag. Base64 and
    # constants are all that is put in, so nothing needs to be escaped.
    end = body.rindex(b"</")
    return body[:end] + signature.encode() + body[end:]


@functools.lru_cache(maxsize=16)
def _key_texts(label: str) -> tuple[str, str]:
    # A key's label is never given to another key, so the token is asked once a process.
    modulus, exponent = signing.public_numbers(label)
    return _base64_of(modulus), _base64_of(exponent)


def _base64_of(number: int) -> str:
    return base64.b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).decode()


def verify(root: xml.Element, keys: Sequence[RSAPublicKey]) -> Verified:
    """
    Return what a pinned key signed. The tree loses its Signature and must not be used again.

    `keys` are the sender's, valid now; a key inside the message is only compared with them.
    Raises SignatureRefusedError.
    """
    signature = _signature_of(root)
    parts = _parts_of(signature)
    key = next((key for key in keys if _numbers(key) == parts.numbers), None)
    if key is None:
        raise SignatureRefusedError(_INTEGRITY, "the key is not one of the sender's that is valid")
    _remove(signature)
    body = xml.canonical(root)
    if hashlib.sha256(body).digest() != parts.digest:
        raise SignatureRefusedError(_CHECKSUM, "the digest is not that of the message")
    try:
        key.verify(parts.signature, parts.signed_info, PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise SignatureRefusedError(_INTEGRITY, "the signature is not by the key") from error
    return Verified(
        body=body,
        signed_info=parts.signed_info.decode(),
        signature_value=parts.signature_value,
    )


def _signature_of(root: xml.Element) -> xml.Element:
    found = list(root.iter(f"{{{_DSIG}}}Signature"))
    if not found:
        raise SignatureRefusedError(_FORM, "the message is not signed")
    if len(found) > 1 or found[0].getparent() is not root or root[-1] is not found[0]:
        raise SignatureRefusedError(_FORM, "the signature is not the one last child of the root")
    return found[0]


def _parts_of(signature: xml.Element) -> _Parts:
    elements = list(signature.iter())
    if len(elements) != len(_PROFILE):
        raise SignatureRefusedError(_FORM, "the signature is of another profile")
    texts: dict[str, str] = {}
    path: list[xml.Element] = []
    for element, (depth, name, attributes, has_text) in zip(elements, _PROFILE, strict=True):
        del path[depth:]
        fits = (
            element.tag == f"{{{_DSIG}}}{name}"
            and dict(element.items()) == attributes
            and (not path or element.getparent() is path[-1])
            and (has_text or not (element.text or "").strip())
            and (depth == 0 or not (element.tail or "").strip())
        )
        if not fits:
            raise SignatureRefusedError(_FORM, "the signature is of another profile")
        path.append(element)
        if has_text:
            texts[name] = element.text or ""
    numbers = (_number(texts["Modulus"]), _number(texts["Exponent"]))
    if numbers[0].bit_length() < _MODULUS_BITS_MIN:
        raise SignatureRefusedError(_FORM, "the key is too short")
    return _Parts(
        digest=_octets(texts["DigestValue"]),
        signature=_octets(texts["SignatureValue"]),
        numbers=numbers,
        signed_info=_canonical_part(elements[1]),
        signature_value="".join(texts["SignatureValue"].split()),
    )


def _canonical_part(element: xml.Element) -> bytes:
    # lxml writes a part of a document with a namespace declaration too many (xmlns=""); a copy
    # that is a document of its own inherits what it must and nothing else.
    copy = xml.parse(etree.tostring(element, encoding="UTF-8", with_tail=False))
    return xml.canonical(copy)


def _remove(signature: xml.Element) -> None:
    parent, before, tail = signature.getparent(), signature.getprevious(), signature.tail
    assert parent is not None, "a signature has a parent"
    # White space behind the signature is part of what was signed; lxml would take it along.
    if tail:
        if before is None:
            parent.text = (parent.text or "") + tail
        else:
            before.tail = (before.tail or "") + tail
    parent.remove(signature)


def _numbers(key: RSAPublicKey) -> tuple[int, int]:
    numbers = key.public_numbers()
    return numbers.n, numbers.e


def _octets(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureRefusedError(_FORM, "the signature is of another profile") from error


def _number(text: str) -> int:
    return int.from_bytes(_octets(text), "big")
