"""Sign and verify messages: XML-DSig, enveloped, inclusive C14N, rsa-sha256, with pinned keys."""

import base64
import copy

import xmlsec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from sandbox import codec

# The profile of messages signed by the switch: inclusive C14N without comments, RSA with SHA-256
# in PKCS#1 v1.5, one reference to the whole document with the enveloped transform, a bare KeyValue.
_C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
_RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_DS = f"{{{codec.SIGNATURE_NAMESPACE}}}"

_TEMPLATE = (
    f'<Signature xmlns="{codec.SIGNATURE_NAMESPACE}"><SignedInfo>'
    f'<CanonicalizationMethod Algorithm="{_C14N}"/><SignatureMethod Algorithm="{_RSA_SHA256}"/>'
    f'<Reference URI=""><Transforms><Transform Algorithm="{_ENVELOPED}"/></Transforms>'
    f'<DigestMethod Algorithm="{_SHA256}"/><DigestValue/></Reference></SignedInfo>'
    "<SignatureValue/><KeyInfo><KeyValue><RSAKeyValue><Modulus/><Exponent/></RSAKeyValue></KeyValue>"
    "</KeyInfo></Signature>"
).encode()

_SHAPE = {
    "SignedInfo": ["CanonicalizationMethod", "SignatureMethod", "Reference"],
    "SignedInfo/Reference": ["Transforms", "DigestMethod", "DigestValue"],
    "SignedInfo/Reference/Transforms": ["Transform"],
    "KeyInfo": ["KeyValue"],
    "KeyInfo/KeyValue": ["RSAKeyValue"],
    "KeyInfo/KeyValue/RSAKeyValue": ["Modulus", "Exponent"],
}
_ALGORITHMS = {
    "SignedInfo/CanonicalizationMethod": _C14N,
    "SignedInfo/SignatureMethod": _RSA_SHA256,
    "SignedInfo/Reference/Transforms/Transform": _ENVELOPED,
    "SignedInfo/Reference/DigestMethod": _SHA256,
}


class SignatureError(Exception):
    """The message is not signed by the pinned key, or not in our profile."""


class Signer:
    """One organisation's signing key. Its calls are safe from several threads at once."""

    def __init__(self, private_pem: bytes) -> None:
        self._key = xmlsec.Key.from_memory(private_pem, xmlsec.constants.KeyDataFormatPem)
        private = serialization.load_pem_private_key(private_pem, password=None)
        if not isinstance(private, rsa.RSAPrivateKey):
            raise SignatureError("the signing key is not an RSA key")
        numbers = private.public_key().public_numbers()
        self._template = etree.fromstring(_TEMPLATE)
        modulus, exponent = _at(self._template, "KeyInfo/KeyValue/RSAKeyValue")
        modulus.text = _base64(numbers.n)
        exponent.text = _base64(numbers.e)

    def sign(self, unsigned: bytes) -> bytes:
        """Return the message with its signature as the last child of the root."""
        # Parsed here, in the thread that signs: a tree never crosses threads.
        root = etree.fromstring(unsigned)
        node = copy.deepcopy(self._template)
        root.append(node)
        context = xmlsec.SignatureContext()
        context.key = self._key
        context.sign(node)
        return codec.to_bytes(root)


class Verifier:
    """One organisation's pinned public key. Its calls are safe from several threads at once."""

    def __init__(self, public_pem: bytes) -> None:
        public = serialization.load_pem_public_key(public_pem)
        if not isinstance(public, rsa.RSAPublicKey):
            raise SignatureError("the pinned key is not an RSA key")
        numbers = public.public_numbers()
        self._numbers = (numbers.n, numbers.e)
        self._key = xmlsec.Key.from_memory(public_pem, xmlsec.constants.KeyDataFormatPem)

    def verify(self, body: bytes) -> None:
        """
        Check the signature of a message that passed codec.parse.

        Raises SignatureError.
        """
        root = etree.fromstring(body)
        node = _the_signature(root)
        _require_profile(node)
        if _embedded_numbers(node) != self._numbers:
            raise SignatureError("the embedded key is not the pinned one")
        context = xmlsec.SignatureContext()
        context.key = self._key
        try:
            context.verify(node)
        except xmlsec.Error as error:
            raise SignatureError("the signature does not fit the message") from error


def _the_signature(root: etree._Element) -> etree._Element:
    found = list(root.iter(f"{_DS}Signature"))
    if len(found) != 1 or found[0].getparent() is not root or root[-1] is not found[0]:
        raise SignatureError("there must be one signature, the last child of the root")
    return found[0]


def _require_profile(node: etree._Element) -> None:
    """Raise SignatureError unless the signature has exactly the parts and methods agreed on."""
    if [child.tag for child in node] != [
        f"{_DS}SignedInfo",
        f"{_DS}SignatureValue",
        f"{_DS}KeyInfo",
    ]:
        raise SignatureError("unexpected parts in the signature")
    for path, names in _SHAPE.items():
        parent = _at(node, path)
        if [child.tag for child in parent] != [f"{_DS}{name}" for name in names]:
            raise SignatureError(f"unexpected parts in {path}")
    for path, algorithm in _ALGORITHMS.items():
        method = _at(node, path)
        if dict(method.items()) != {"Algorithm": algorithm} or len(method):
            raise SignatureError(f"unexpected method in {path}")
    if dict(_at(node, "SignedInfo/Reference").items()) != {"URI": ""}:
        raise SignatureError("the reference must be to the whole document")


def _at(node: etree._Element, path: str) -> etree._Element:
    found = node.find("/".join(f"{_DS}{name}" for name in path.split("/")))
    if found is None:
        raise SignatureError(f"{path} is missing")
    return found


def _embedded_numbers(node: etree._Element) -> tuple[int, int]:
    value = _at(node, "KeyInfo/KeyValue/RSAKeyValue")
    modulus, exponent = (_number(child.text) for child in value)
    return modulus, exponent


def _base64(number: int) -> str:
    return base64.b64encode(number.to_bytes((number.bit_length() + 7) // 8)).decode()


def _number(text: str | None) -> int:
    try:
        return int.from_bytes(base64.b64decode("".join((text or "").split()), validate=True))
    except ValueError as error:
        raise SignatureError("a key number is not base64") from error
