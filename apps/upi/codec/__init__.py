"""
Messages to bytes and back: one codec for every message, driven by tables.

Encoding is canonical (inclusive C14N), so that the bytes that are signed are the bytes encoded.
"""

import re

from lxml import etree

from apps.upi import xml
from apps.upi.codec import rules, unpublished
from apps.upi.codec.grammar import ENTRIES, Entry, meta_code
from apps.upi.contracts import Message
from apps.upi.errors import InvalidElementError, MalformedMessageError, RefusedError

_TYPE_CODE = "T07"
# In canonical form an element's text never holds "<"; codes and key indexes are plain letters.
# Besides credentials and balances: a device's token, and the issuer's signature of a mandate.
_SECRET = re.compile(
    rb'(<Data(?: code="[A-Z]*" ki="[A-Za-z0-9]*")?>|<Signature id="MANDATE">'
    rb'|<key(?: [a-z]+="[^"<]*")* type="TOKEN"><keyValue>)([^<]*)(</)'
)
_PERSONAL = re.compile(
    rb'(<Detail name="(?:CARDDIGITS|EXPDATE)" value="|<Account aadhaarNo=")[^"]*(")'
)


def encode(message: Message) -> bytes:
    """Return the message in canonical form, unsigned."""
    root = etree.Element(
        f"{{{xml.NAMESPACE}}}{message.api}", attrib=None, nsmap={"upi": xml.NAMESPACE}
    )
    ENTRIES[message.api].shape.write(root, message)
    return xml.canonical(root)


def decode(body: bytes) -> Message:
    """
    Read a message; the bytes are those that were verified.

    Raises MalformedMessageError for another structure, InvalidElementError with the validation
    code of upi-protocol 4.8 and the element for a value that breaks a rule.
    """
    root = xml.parse(body)
    api = xml.api_of(root)
    entry = ENTRIES.get(api)
    if entry is None:
        raise RefusedError(unpublished.REFUSAL_CODE, unpublished.refusal(api))
    if root.attrib:
        raise MalformedMessageError(f"{api} has an attribute it may not have")
    try:
        return _read(root, entry)
    except InvalidElementError as error:
        if not entry.is_meta:
            raise
        raise InvalidElementError(meta_code(error.ack_code), error.element) from error


def _read(root: xml.Element, entry: Entry) -> Message:
    message: Message = entry.shape.read(root, "")
    if message.txn.type not in entry.types:
        raise InvalidElementError(_TYPE_CODE, "Txn.type")
    rules.check(message)
    return message


def cut_secrets(body: bytes) -> tuple[bytes, list[str]]:
    """Return a decoded message's canonical bytes without what is secret in them, and that."""
    secrets = [match[2].decode() for match in _SECRET.finditer(body)]
    return _SECRET.sub(rb"\1\3", body), secrets


def restore_secrets(body: bytes, secrets: list[str]) -> bytes:
    """Put back what `cut_secrets` took."""
    rest = iter(secrets)
    return _SECRET.sub(lambda match: match[1] + next(rest).encode() + match[3], body)


def loggable(body: bytes) -> str:
    """Return a decoded message's canonical text without secrets, card digits and Aadhaar."""
    return _PERSONAL.sub(rb"\1\2", cut_secrets(body)[0]).decode()
