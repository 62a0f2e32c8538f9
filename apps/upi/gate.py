"""
The strict gate in front of the parser: which bytes may become a tree at all, and which trees pass.

Everything here is decided before a value is read. A message that passes has no DOCTYPE, entity,
comment, processing instruction or CDATA, so that every reader of it reads the same text.
"""

import re
from dataclasses import dataclass

from django.conf import settings

from apps.upi import xml
from apps.upi.errors import MalformedMessageError, RefusedError

DEPTH_MAX = 12
ELEMENTS_MAX = 400
# A page of the switch's directory has a thousand rows and more: upi-protocol 1.10.
DIRECTORY_APIS = frozenset({"RespListPsp", "RespListAccPvd", "RespListKeys", "RespListVae"})
DIRECTORY_BYTES_MAX = 2 * 1024 * 1024
DIRECTORY_ELEMENTS_MAX = 12_000
# A tag of ours has at most twenty attributes; an "=" inside a value counts as one too.
ATTRIBUTES_MAX = 40
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"

_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_DECLARATION = re.compile(
    rb"""<\?xml\ version=(?:"1\.0"|'1\.0')
         (?:\ encoding=(?:"(?i:utf-8)"|'(?i:utf-8)'))?
         (?:\ standalone=(?:"(?:yes|no)"|'(?:yes|no)'))?\ ?\?>""",
    re.VERBOSE,
)
# Possessive throughout: hostile bytes cost one pass, never a search for another way to match.
_TAG = re.compile(rb"""<(/?+)((?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+)>""")
_ENTITY = re.compile(rb"&(?!amp;|lt;|gt;|quot;|apos;|#[0-9]{1,7};|#x[0-9A-Fa-f]{1,6};)")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large a message may be."""

    bytes_max: int
    elements_max: int


def bounds_of(api: str) -> Bounds:
    """Return how large a message may be that was posted as this API."""
    if api in DIRECTORY_APIS:
        return Bounds(DIRECTORY_BYTES_MAX, DIRECTORY_ELEMENTS_MAX)
    return Bounds(settings.UPI_MESSAGE_BYTES_MAX, ELEMENTS_MAX)


def check_bytes(body: bytes, bounds: Bounds) -> None:
    """Refuse bytes that must not reach a parser. Raises MalformedMessageError."""
    if not body:
        raise MalformedMessageError("the body is empty, or too large to be read")
    if len(body) > bounds.bytes_max:
        raise MalformedMessageError("the body is too large")
    if body.startswith(_BYTE_ORDER_MARKS) or b"\0" in body:
        raise MalformedMessageError("the body is not plain UTF-8")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedMessageError("the body is not plain UTF-8") from error
    declaration = _DECLARATION.match(body)
    rest = body[declaration.end() :] if declaration else body
    if b"<?" in rest:
        raise MalformedMessageError("the body has a processing instruction or another encoding")
    # In well-formed XML "<!" only begins a comment, a CDATA section or a DOCTYPE.
    if b"<!" in rest:
        raise MalformedMessageError("the body has a comment, a CDATA section or a DOCTYPE")
    if _ENTITY.search(rest):
        raise MalformedMessageError("the body refers to an entity")
    _check_tags(rest, elements_max=bounds.elements_max)


def _check_tags(body: bytes, *, elements_max: int) -> None:
    depth = elements = 0
    for closing, content in _TAG.findall(body):
        if closing:
            depth -= 1
            continue
        elements += 1
        if not content.endswith(b"/"):
            depth += 1
        if depth > DEPTH_MAX or elements > elements_max or content.count(b"=") > ATTRIBUTES_MAX:
            raise MalformedMessageError("the body is nested too deep or has too many parts")


def parse(body: bytes, *, api: str = "") -> xml.Element:
    """Check the bytes, parse them once, and hold the tree to the wire's namespaces."""
    check_bytes(body, bounds_of(api))
    root = xml.parse(body)
    if not xml.api_of(root):
        raise MalformedMessageError("the root element is not of the UPI namespace")
    _check_names(root)
    return root


def _check_names(root: xml.Element) -> None:
    """Refuse qualified names, save for the root's and for one Signature as the last child."""
    for attribute in root.attrib:
        _refuse_qualified(str(attribute))
    last = root[-1] if len(root) else None
    for child in root:
        if child is last and child.tag == SIGNATURE:
            continue
        for element in child.iter():
            _refuse_qualified(str(element.tag))
            for attribute in element.attrib:
                _refuse_qualified(str(attribute))


def _refuse_qualified(name: str) -> None:
    if name.startswith("{"):
        raise MalformedMessageError("an element or attribute is of a foreign namespace")


def check_route(root: xml.Element, *, api: str, version: str, txn_id: str) -> None:
    """Refuse a message that is not the one its URL names: API, version and Txn.id."""
    if xml.api_of(root) != api:
        raise RefusedError("U10", "the root element is not the API in the URL")
    head, txn = root.find("Head"), root.find("Txn")
    if head is None:
        raise RefusedError("U52", "there is no Head that names a sender")
    if head.get("ver") != version:
        raise RefusedError("H02", "Head.ver is not the version in the URL")
    if txn is None or txn.get("id") != txn_id:
        raise RefusedError("U06", "Txn.id is not the one in the URL")
