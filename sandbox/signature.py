"""Sign and verify messages: XML-DSig, enveloped, inclusive C14N, rsa-sha256, with pinned keys."""

import base64
import hashlib
import re

import xmlsec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from sandbox import codec

# The profile of messages signed by the switch: inclusive C14N without comments, RSA with SHA-256
# in PKCS#1 v1.5, one reference to the whole document with the enveloped transform, a bare KeyValue.
_C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
_RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_DS = f"{{{codec.SIGNATURE_NAMESPACE}}}"

# SignedInfo in canonical form, with its own namespace and the one it inherits from the root: this
# is what is signed, and it stays the same when the message is read and canonicalised again.
_SIGNED_INFO = (
    f'<SignedInfo xmlns="{codec.SIGNATURE_NAMESPACE}" xmlns:upi="{codec.NAMESPACE}">'
    f'<CanonicalizationMethod Algorithm="{_C14N}"></CanonicalizationMethod>'
    f'<SignatureMethod Algorithm="{_RSA_SHA256}"></SignatureMethod>'
    f'<Reference URI=""><Transforms><Transform Algorithm="{_ENVELOPED}"></Transform></Transforms>'
    f'<DigestMethod Algorithm="{_SHA256}"></DigestMethod>'
    "<DigestValue>{digest}</DigestValue></Reference></SignedInfo>"
)
_SIGNATURE = (
    f'<Signature xmlns="{codec.SIGNATURE_NAMESPACE}">'
    "{info}<SignatureValue>{value}</SignatureValue><KeyInfo><KeyValue><RSAKeyValue>"
    "<Modulus>{modulus}</Modulus><Exponent>{exponent}</Exponent>"
    "</RSAKeyValue></KeyValue></KeyInfo></Signature>"
)

# A signature as nearly every signer writes it, in a message that is in canonical form: what is
# captured is SignedInfo's content and the values. "<" is written otherwise inside of texts, so
# what looks like an element here is one; with the root's end behind it, it is the last child.
_SCOPE = f' xmlns="{codec.SIGNATURE_NAMESPACE}" xmlns:upi="{codec.NAMESPACE}"'
_BASE64 = r"([A-Za-z0-9+/]+={0,2})"
_PLAIN = re.compile(
    re.escape(_SIGNATURE)
    .replace(re.escape("{info}"), re.escape(_SIGNED_INFO.replace(_SCOPE, "")))
    .replace(re.escape("{digest}"), _BASE64)
    .replace(re.escape("{value}"), _BASE64)
    .replace(re.escape("{modulus}"), _BASE64)
    .replace(re.escape("{exponent}"), _BASE64)
    .encode()
    + rb"(?=</upi:\w+>\Z)"
)

# Every element of a signature in document order, with its attributes: nothing more is accepted.
_SHAPE = [
    ("Signature", {}),
    ("SignedInfo", {}),
    ("CanonicalizationMethod", {"Algorithm": _C14N}),
    ("SignatureMethod", {"Algorithm": _RSA_SHA256}),
    ("Reference", {"URI": ""}),
    ("Transforms", {}),
    ("Transform", {"Algorithm": _ENVELOPED}),
    ("DigestMethod", {"Algorithm": _SHA256}),
    ("DigestValue", {}),
    ("SignatureValue", {}),
    ("KeyInfo", {}),
    ("KeyValue", {}),
    ("RSAKeyValue", {}),
    ("Modulus", {}),
    ("Exponent", {}),
]
_SHAPE_OF_TAGS = [(f"{_DS}{name}", attributes) for name, attributes in _SHAPE]


class SignatureError(Exception):
    """The message is not signed by the pinned key, or not in our profile."""


class Signer:
    """One organisation's signing key."""

    def __init__(self, private_pem: bytes) -> None:
        key = serialization.load_pem_private_key(private_pem, password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise SignatureError("the signing key is not an RSA key")
        self._key = key
        numbers = key.public_key().public_numbers()
        self._numbers = {"modulus": _base64(numbers.n), "exponent": _base64(numbers.e)}

    def sign(self, canonical: bytes) -> bytes:
        """
        Return a message of ours with its signature as the last child of the root.

        The message is given in canonical form: what is digested is what is sent. libxmlsec1 could
        sign as well; but it sets its key up anew for every signature, which costs as much as the
        signature itself.
        """
        digest = base64.b64encode(hashlib.sha256(canonical).digest()).decode()
        info = _SIGNED_INFO.format(digest=digest)
        signed = self._key.sign(info.encode(), padding.PKCS1v15(), hashes.SHA256())
        value = base64.b64encode(signed).decode()
        made = _SIGNATURE.format(info=info, value=value, **self._numbers)
        content, closing, name = canonical.rpartition(b"</")
        return b"".join((content, made.encode(), closing, name))


class Verifier:
    """One organisation's pinned public key."""

    def __init__(self, public_pem: bytes) -> None:
        public = serialization.load_pem_public_key(public_pem)
        if not isinstance(public, rsa.RSAPublicKey):
            raise SignatureError("the pinned key is not an RSA key")
        numbers = public.public_numbers()
        self._numbers = (numbers.n, numbers.e)
        self._public = public
        self._key = xmlsec.Key.from_memory(public_pem, xmlsec.constants.KeyDataFormatPem)

    def verify(self, root: etree._Element) -> None:
        """
        Check the signature of a message, on the very tree that is then acted upon.

        One that is written in the plain way is checked here, which costs half as much; one that
        has spaces, prefixes or other namespaces is left to libxmlsec1.
        Raises SignatureError.
        """
        node = _the_signature(root)
        content = etree.tostring(root, method="c14n") if codec.is_plain(root) else b""
        plain = _PLAIN.search(content)
        if plain is None:
            self._verify_by_library(node)
        else:
            self._verify_plain(plain, content[: plain.start()], content[plain.end() :])

    def _verify_plain(self, plain: re.Match[bytes], before: bytes, behind: bytes) -> None:
        digest, value, modulus, exponent = (part.decode() for part in plain.groups())
        if (_number(modulus), _number(exponent)) != self._numbers:
            raise SignatureError("the embedded key is not the pinned one")
        if digest != base64.b64encode(hashlib.sha256(before + behind).digest()).decode():
            raise SignatureError("the digest does not fit the message")
        info = _SIGNED_INFO.format(digest=digest).encode()
        try:
            self._public.verify(_bytes(value), info, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature as error:
            raise SignatureError("the signature does not fit the message") from error

    def _verify_by_library(self, node: etree._Element) -> None:
        parts = list(node.iter())
        if [(part.tag, dict(part.attrib)) for part in parts] != _SHAPE_OF_TAGS:
            raise SignatureError("the signature is not in the profile")
        modulus, exponent = parts[-2:]
        if (_number(modulus.text), _number(exponent.text)) != self._numbers:
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


def _base64(number: int) -> str:
    return base64.b64encode(number.to_bytes((number.bit_length() + 7) // 8)).decode()


def _number(text: str | None) -> int:
    return int.from_bytes(_bytes(text))


def _bytes(text: str | None) -> bytes:
    try:
        return base64.b64decode("".join((text or "").split()), validate=True)
    except ValueError as error:
        raise SignatureError("a key number or a value is not base64") from error
