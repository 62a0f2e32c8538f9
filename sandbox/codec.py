"""Read and write the XML of the wire: one strict parser, and elements built by a library."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from sandbox import clock

NAMESPACE = "http://npci.org/upi/schema/"
SIGNATURE_NAMESPACE = "http://www.w3.org/2000/09/xmldsig#"
BODY_BYTES_MAX = 256 * 1024
VERSION = "2.0"
TRANSACTION_ID_LENGTH = 35

# One parser, used by the event loop's thread only.
_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, encoding="utf-8"
)
_DECLARATION = re.compile(rb"^\s*<\?xml[^>]*\?>")
# An Ack as nearly all are: one element of plain attributes. What it matches is read by no parser.
_PLAIN_ACK = re.compile(
    rb'<upi:Ack xmlns:upi="' + NAMESPACE.encode() + rb'"((?: [A-Za-z]{1,20}="[ !#-%\'-;=-~]*")+)'
    rb"(?:/>|></upi:Ack>)"
)
_ATTRIBUTE = re.compile(rb' ([A-Za-z]+)="([^"]*)"')
_ROOT = f"{{{NAMESPACE}}}"
_NAMESPACES = {"upi": NAMESPACE}

Element = etree._Element  # noqa: SLF001 - lxml has no public name for the type


class MalformedError(Exception):
    """These bytes are not a message of this schema (U05)."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message as received: what routes it, and its tree."""

    api: str
    org_id: str
    message_id: str
    sent_at: str
    transaction_id: str
    type: str
    sub_type: str
    original_id: str
    request_message_id: str
    result: str
    code: str
    root: Element


def parse(body: bytes) -> Element:
    """
    Return the root of a message.

    Raises MalformedError for anything but a plain UTF-8 document of the UPI namespace: a DOCTYPE,
    an entity, a comment or a processing instruction could make two readers see two messages.
    """
    if len(body) > BODY_BYTES_MAX:
        raise MalformedError("too long")
    text = _DECLARATION.sub(b"", body, count=1)
    if b"<!" in text or b"<?" in text:
        raise MalformedError("declarations, comments and instructions are refused")
    try:
        text.decode("utf-8")
        root = etree.fromstring(text, _PARSER)
    except (UnicodeDecodeError, etree.XMLSyntaxError) as error:
        raise MalformedError("not well-formed UTF-8 XML") from error
    if not root.tag.startswith(_ROOT):
        raise MalformedError("the root is not in the UPI namespace")
    return root


def envelope(root: Element) -> Envelope:
    """Read what routes a message. Parts that are missing are empty; the gate judges them."""
    parts = {child.tag: child for child in reversed(root)}
    head, transaction, response = (parts.get(name) for name in ("Head", "Txn", "Resp"))
    return Envelope(
        api=local_name(root),
        org_id=_value(head, "orgId"),
        message_id=_value(head, "msgId"),
        sent_at=_value(head, "ts"),
        transaction_id=_value(transaction, "id"),
        type=_value(transaction, "type"),
        sub_type=_value(transaction, "subType"),
        original_id=_value(transaction, "orgTxnId"),
        request_message_id=_value(response, "reqMsgId"),
        result=_value(response, "result"),
        code=_value(response, "errCode"),
        root=root,
    )


def _value(found: Element | None, name: str) -> str:
    return "" if found is None else found.get(name, "")


def attributes(found: Element) -> dict[str, str]:
    """Return an element's attributes, in order."""
    return {str(name): str(value) for name, value in found.items()}


def local_name(root: Element) -> str:
    """Return the name of a message without its namespace."""
    return str(root.tag).rpartition("}")[2]


def message(api: str, *children: Element) -> Element:
    """Build a message from its parts, in the order given."""
    root = etree.Element(_ROOT + api, nsmap=_NAMESPACES)
    root.extend(children)
    return root


def element(name: str, values: Mapping[str, str] | None = None, *children: Element) -> Element:
    """Build one unqualified element."""
    made = etree.Element(name, dict(values or {}))
    made.extend(children)
    return made


def head(org_id: str, message_id: str) -> Element:
    """Build the Head of a message that is sent now."""
    return element(
        "Head",
        {
            "ver": VERSION,
            "ts": clock.iso(clock.now()),
            "orgId": org_id,
            "msgId": message_id,
            "prodType": "UPI",
        },
    )


def to_bytes(root: Element) -> bytes:
    """Write an element as UTF-8, without a declaration."""
    return etree.tostring(root, encoding="utf-8")


def canonical(root: Element) -> bytes:
    """Write a message of ours in canonical form (inclusive C14N), ready to be signed."""
    assert is_plain(root), "the signature's scope is that of our own messages"
    return etree.tostring(root, method="c14n")


def is_plain(root: Element) -> bool:
    """Say whether a message declares the UPI namespace, as upi, and no other."""
    return bool(root.nsmap == _NAMESPACES)


def ack(api: str, request_message_id: str, code: str = "", detail: str = "") -> bytes:
    """Write an Ack; with a code it is a negative one. Acks are not signed."""
    # By hand, with a library's escapes: half of what the switch writes is this one line.
    values = {"api": api, "reqMsgId": request_message_id, "err": code}
    written = " ".join(f"{name}={quoteattr(value)}" for name, value in values.items())
    errors = (
        f"<errorMessages><errorCd>{escape(code)}</errorCd>"
        f"<errorDtl>{escape(detail or code)}</errorDtl></errorMessages>"
    )
    return (
        f'<upi:Ack xmlns:upi="{NAMESPACE}" {written} ts="{clock.iso(clock.now())}">'
        f"{errors if code else ''}</upi:Ack>"
    ).encode()


def ack_code(body: bytes, api: str, request_message_id: str) -> str:
    """
    Return the code of an Ack to this request: empty when it is positive.

    Raises MalformedError when it is no Ack of this request.
    """
    values, code = _plain_ack(body) or _parsed_ack(body)
    if values.get("reqMsgId") != request_message_id:
        raise MalformedError("not the Ack of this request")
    if values.get("api") != api:
        raise MalformedError("the Ack names another API")
    return values.get("err") or code


def _plain_ack(body: bytes) -> tuple[dict[str, str], str] | None:
    found = _PLAIN_ACK.fullmatch(body)
    if found is None:
        return None
    pairs = _ATTRIBUTE.findall(found[1])
    values = {name.decode(): value.decode() for name, value in pairs}
    # An attribute that stands twice is no XML: let the parser say so.
    return (values, "") if len(values) == len(pairs) else None


def _parsed_ack(body: bytes) -> tuple[dict[str, str], str]:
    root = parse(body)
    if local_name(root) != "Ack":
        raise MalformedError("not an Ack")
    return attributes(root), root.findtext("errorMessages/errorCd") or ""


def amount_of(party: Element | None) -> str:
    """Return the amount of a payer or payee as the wire writes it; empty if there is none."""
    found = None if party is None else party.find("Amount")
    return "" if found is None else found.get("value", "")


def account_detail(party: Element | None, name: str) -> str:
    """Return one detail (IFSC, ACTYPE, ACNUM) of a party's account; empty if it is missing."""
    return _named(party, "Ac/Detail", name)


def device_tag(party: Element | None, name: str) -> str:
    """Return one tag (MOBILE, ID, APP …) of a party's device; empty if it is missing."""
    return _named(party, "Device/Tag", name)


def _named(party: Element | None, path: str, name: str) -> str:
    if party is None:
        return ""
    for found in party.iterfind(path):
        if found.get("name") == name:
            return found.get("value", "")
    return ""


def paise(text: str) -> int | None:
    """Read an amount of the wire ("149.50", at most 18 signs); None if it is not one."""
    match = re.fullmatch(r"(\d{1,15})\.(\d{2})", text, re.ASCII)
    return int(match[1]) * 100 + int(match[2]) if match else None


def rupees(amount_paise: int) -> str:
    """Write an amount as the wire does."""
    return f"{amount_paise // 100}.{amount_paise % 100:02d}"
