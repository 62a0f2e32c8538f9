"""
EMV merchant codes with a UPI address (BharatQR): read strictly, written, and turned into intents.

The payload is a row of tag, length and value, all ASCII, that ends with a CRC over itself.
Source: upi-protocol 6.5; EMVCo's merchant-presented mode for what all countries share.
"""

import binascii
import re
from dataclasses import dataclass

from apps.common.addresses import VpaAddress
from apps.common.errors import DuplicateParameterError
from apps.common.money import Money
from apps.upi.links import rules
from apps.upi.links.errors import (
    EmvChecksumError,
    EmvMalformedError,
    EmvNotUpiError,
    LinkCurrencyError,
    LinkParameterInvalidError,
    LinkParameterMissingError,
    LinkParametersContradictError,
)
from apps.upi.links.intent import BHARAT_QR_MODE, Action, Intent, ReadLink

PAYLOAD_SIGNS_MAX = 512
VALUE_SIGNS_MAX = 99
RUPAY_RID = "A000000524"
RUPEES = "356"
INDIA = "IN"
ENTERED_BY_PAYER = "***"
_START = "000201"
_CRC_TAG = "6304"
_CRC_SIGNS = 4

# What each tag takes; those that are not here are carried by nobody in India and only skipped.
_PATTERNS = {
    tag: re.compile(pattern)
    for tag, pattern in {
        "00": "01",
        "01": "11|12",
        **{f"{tag:02d}": "[0-9]{10,19}" for tag in range(2, 8)},
        "08": "[A-Z]{4}0[A-Z0-9]{6}[0-9A-Za-z]{1,30}",
        "52": "[0-9]{4}",
        "55": "0[1-3]",
        "56": r"[0-9]{1,10}(?:\.[0-9]{1,2})?",
        "57": r"[0-9]{1,2}(?:\.[0-9]{1,2})?",
        "59": "(?=.*[!-~])[ -~]{1,25}",
        "60": "[ -~]{1,15}",
        "61": "[0-9A-Za-z ]{1,10}",
        "62.01": r"[A-Za-z0-9/_\-]{1,26}",
        "62.03": r"[A-Za-z0-9_\-]{1,20}",
        "62.05": r"[A-Za-z0-9\-]{4,35}",
        "62.07": r"[A-Za-z0-9_\-]{1,20}",
        "62.08": "[ -~]{1,25}",
        "27.01": r"[A-Za-z0-9\-]{4,35}",
        "27.02": r"(?=.{1,99}\Z)https?://[!-~]+",
    }.items()
}
_NEEDED = ("52", "53", "58", "59", "60")
_CARDS = frozenset(f"{tag:02d}" for tag in range(2, 8))


@dataclass(frozen=True, slots=True, kw_only=True)
class EmvCode:
    """
    What an EMV code with a UPI address says; what it leaves out is empty or None.

    `cards` are the merchant's numbers with card schemes by tag, and `account` is IFSC and account
    number: other ways to pay, which this bank carries but does not use.
    """

    payee: VpaAddress
    payee_name: str
    city: str
    mcc: str
    is_dynamic: bool = False
    amount: Money | None = None
    minimum: Money | None = None
    reference: str = ""
    url: str = ""
    postal_code: str = ""
    bill: str = ""
    store: str = ""
    terminal: str = ""
    purpose_text: str = ""
    cards: tuple[tuple[str, str], ...] = ()
    account: str = ""


def checksum(text: str) -> str:
    """Return the CRC-16/CCITT-FALSE of a text as four capital hexadecimal digits."""
    return f"{binascii.crc_hqx(text.encode('ascii'), 0xFFFF):04X}"


def looks_like_emv(text: str) -> bool:
    """Tell whether a scanned text begins as EMV codes do."""
    return text.startswith(_START)


def read(payload: str) -> EmvCode:
    """
    Read an EMV code.

    Raises EmvMalformedError, EmvChecksumError, DuplicateParameterError, LinkCurrencyError,
    EmvNotUpiError, LinkParameterMissingError, LinkParameterInvalidError and
    LinkParametersContradictError; `field` names the tag, such as 26 or 62.05.
    """
    _check_frame(payload)
    values = _objects(payload)
    if values.get("53", RUPEES) != RUPEES:
        raise LinkCurrencyError(field="53")
    template, more = _templates(values)
    for tag in _NEEDED:
        if tag not in values:
            raise LinkParameterMissingError(field=tag)
    if values["58"] != INDIA:
        raise LinkParameterInvalidError(field="58")
    if "01" not in template:
        raise LinkParameterMissingError(field="26.01")
    amount, minimum = values.get("54"), template.get("02")
    code = EmvCode(
        payee=rules.address("26.01", template["01"]),
        payee_name=_checked("59", values),
        city=_checked("60", values),
        mcc=_checked("52", values),
        is_dynamic=_checked("01", values) == "12",
        amount=rules.amount("54", amount) if amount is not None else None,
        minimum=rules.amount("26.02", minimum) if minimum is not None else None,
        reference=_reference(more),
        url=_checked("27.02", more),
        postal_code=_checked("61", values),
        bill=_checked("62.01", more),
        store=_checked("62.03", more),
        terminal=_checked("62.07", more),
        purpose_text=_checked("62.08", more),
        cards=tuple((tag, _checked(tag, values)) for tag in sorted(_CARDS & set(values))),
        account=_checked("08", values),
    )
    for tag in ("55", "56", "57"):
        _checked(tag, values)
    if code.amount is not None and code.minimum is not None and code.minimum > code.amount:
        raise LinkParametersContradictError(field="26.02")
    return code


def write(code: EmvCode) -> str:
    """Write an EMV code with its CRC. What `read` would refuse is a bug of the caller."""
    minimum = code.minimum.as_rupees() if code.minimum else ""
    template = _joined({"00": RUPAY_RID, "01": str(code.payee), "02": minimum})
    linked = {"01": code.reference, "02": code.url}
    reference = _joined({"00": RUPAY_RID, **linked}) if any(linked.values()) else ""
    more = {
        "01": code.bill,
        "03": code.store,
        "05": code.reference,
        "07": code.terminal,
        "08": code.purpose_text,
    }
    text = _joined(
        {
            "00": "01",
            "01": "12" if code.is_dynamic else "11",
            **dict(code.cards),
            "08": code.account,
            "26": template,
            "27": reference,
            "52": code.mcc,
            "53": RUPEES,
            "54": code.amount.as_rupees() if code.amount else "",
            "58": INDIA,
            "59": code.payee_name,
            "60": code.city,
            "61": code.postal_code,
            "62": _joined(more),
        }
    )
    payload = f"{text}{_CRC_TAG}{checksum(text + _CRC_TAG)}"
    assert read(payload) == code, "what we write is what is read"
    return payload


def intent_of(code: EmvCode) -> Intent:
    """Return the payment that an EMV code asks for (upi-protocol 6.5: mode 03)."""
    ids = {"msid": code.store, "mtid": code.terminal}
    return Intent(
        action=Action.PAY,
        payee=code.payee,
        payee_name=code.payee_name,
        mcc=code.mcc,
        reference=code.reference,
        amount=code.amount,
        minimum=code.minimum,
        url=code.url,
        mode=BHARAT_QR_MODE,
        others=tuple((name, value) for name, value in ids.items() if value),
    )


def read_link(payload: str) -> ReadLink:
    """Read an EMV code as the link that it stands for; there is no signature in one."""
    return ReadLink(intent=intent_of(read(payload)), signed_text=payload, signature=None)


def _check_frame(payload: str) -> None:
    if not payload.isascii() or not payload.isprintable() or len(payload) > PAYLOAD_SIGNS_MAX:
        raise EmvMalformedError
    if not looks_like_emv(payload) or payload[-len(_CRC_TAG) - _CRC_SIGNS :][:4] != _CRC_TAG:
        raise EmvMalformedError
    if checksum(payload[:-_CRC_SIGNS]) != payload[-_CRC_SIGNS:]:
        raise EmvChecksumError


def _objects(text: str, parent: str = "") -> dict[str, str]:
    """Return tag and value of a row of objects; inside a template tags are named 26.01."""
    found: dict[str, str] = {}
    place = 0
    while place < len(text):
        tag, length = text[place : place + 2], text[place + 2 : place + 4]
        value = text[place + 4 : place + 4 + int(length)] if length.isdecimal() else ""
        if not tag.isdecimal() or len(length) != 2 or not value or len(value) != int(length):  # noqa: PLR2004
            raise EmvMalformedError
        if tag in found:
            raise DuplicateParameterError(field=f"{parent}{tag}")
        found[tag] = value
        place += 4 + len(value)
    return found


def _templates(values: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the UPI template, and what templates 27 and 62 add, by names such as 62.05."""
    template = _objects(values.get("26", ""), "26.")
    if template.get("00") != RUPAY_RID:
        raise EmvNotUpiError
    more: dict[str, str] = {}
    for parent in ("27", "62"):
        inside = _objects(values.get(parent, ""), f"{parent}.")
        if parent == "27" and inside and inside.get("00") != RUPAY_RID:
            raise LinkParameterInvalidError(field="27.00")
        more |= {f"{parent}.{tag}": value for tag, value in inside.items()}
    return template, {tag: value for tag, value in more.items() if value != ENTERED_BY_PAYER}


def _reference(more: dict[str, str]) -> str:
    """Return the merchant's reference, which may stand in two places, but not as two."""
    found = {_checked(tag, more) for tag in ("27.01", "62.05")} - {""}
    if len(found) > 1:
        raise LinkParametersContradictError(field="62.05")
    return found.pop() if found else ""


def _checked(tag: str, values: dict[str, str]) -> str:
    value = values.get(tag)
    if value is None:
        return ""
    if not _PATTERNS[tag].fullmatch(value):
        raise LinkParameterInvalidError(field=tag)
    return value


def _joined(values: dict[str, str]) -> str:
    assert all(len(value) <= VALUE_SIGNS_MAX for value in values.values()), "two digits of length"
    return "".join(f"{tag}{len(value):02d}{value}" for tag, value in values.items() if value)
