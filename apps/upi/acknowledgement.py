"""The technical answer to a POST: an unsigned Ack, positive or negative."""

from lxml import etree

from apps.upi import gate, xml
from apps.upi.codec import kinds
from apps.upi.codec.shapes import OTHER, Attribute, read_attributes
from apps.upi.contracts import Ack, AckError
from apps.upi.errors import MalformedMessageError

_ROOT = f"{{{xml.NAMESPACE}}}Ack"
_ATTRIBUTES = (
    Attribute("api", "api", kinds.text("[A-Za-z]{0,30}"), OTHER, is_required=True),
    Attribute("reqMsgId", "req_msg_id", kinds.text("[A-Za-z0-9]{0,35}"), OTHER, is_required=True),
    Attribute("err", "err", kinds.RESULT_CODE_OR_EMPTY, OTHER),
    Attribute("ts", "ts", kinds.INSTANT, OTHER, is_required=True),
)
_CODE = "errorCd"
_DETAIL = "errorDtl"


def encode_ack(ack: Ack) -> bytes:
    """Return the Ack in canonical form."""
    root = etree.Element(_ROOT, attrib=None, nsmap={"upi": xml.NAMESPACE})
    for attribute in _ATTRIBUTES:
        root.set(attribute.name, attribute.kind.write(getattr(ack, attribute.field)))
    for error in ack.errors:
        messages = etree.SubElement(root, "errorMessages")
        etree.SubElement(messages, _CODE).text = error.code
        etree.SubElement(messages, _DETAIL).text = error.detail
    return xml.canonical(root)


def decode_ack(body: bytes) -> Ack:
    """Read an Ack, positive or negative. Raises RefusedError for anything else."""
    root = gate.parse(body)
    if root.tag != _ROOT:
        raise MalformedMessageError("the answer to a POST is an Ack")
    values: dict[str, str] = {}
    read_attributes(root, _ATTRIBUTES, values, "Ack")
    values["err"] = values["err"] or ""
    errors = tuple(
        AckError(code=messages.findtext(_CODE) or "", detail=messages.findtext(_DETAIL) or "")
        for messages in root.findall("errorMessages")
    )
    return Ack(**values, errors=errors)  # type: ignore[arg-type]
