"""The rule of each parameter of a link (upi-protocol 6.2), and how its value is read."""

import datetime as dt
import re
import unicodedata

from apps.common.addresses import VpaAddress
from apps.common.money import Money
from apps.upi.links.errors import LinkParameterInvalidError

# Scripts that a name in India is written in. A letter of any other could pass for one of these.
_SCRIPTS = frozenset(
    {
        "ARABIC",
        "BENGALI",
        "DEVANAGARI",
        "GUJARATI",
        "GURMUKHI",
        "KANNADA",
        "MALAYALAM",
        "MEETEI",
        "OL",
        "ORIYA",
        "TAMIL",
        "TELUGU",
    }
)
_AMOUNT = re.compile(r"((?!0[0-9])[0-9]{1,15})(?:\.([0-9]{1,2}))?")
_DAY = re.compile(r"([0-9]{2})([0-9]{2})(20[0-9]{2})")
_INSTANT = re.compile(
    r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_YES_NO = "[YN]"

# Parameters for people to read: the longest each may be.
_TEXTS = {"pn": 99, "mn": 99, "tn": 50, "invoiceName": 99, "query": 255}
# All others are ASCII, and match the whole pattern.
_PATTERNS = {
    name: re.compile(pattern)
    for name, pattern in {
        "ver": "01",
        "mode": "[0-2][0-9]|3[0-2]",
        "purpose": "[A-Z0-9]{2}",
        "category": "[A-Z0-9]{2}",
        "orgid": "[A-Za-z0-9]{6,12}",
        "mc": "[0-9]{4}",
        "tid": "[A-Za-z0-9]{1,35}",
        # What Txn/@refId takes (upi-protocol 2.3), which is where it goes.
        "tr": r"[A-Za-z0-9\-]{1,35}",
        "url": r"(?=.{1,99}\Z)https?://[!-~]+",
        "mid": r"[A-Za-z0-9_\-]{1,20}",
        "msid": r"[A-Za-z0-9_\-]{1,20}",
        "mtid": r"[A-Za-z0-9_\-]{1,20}",
        "qrMedium": "0[1-6]",
        "split": "[ -~]{1,255}",
        "pinCode": "[0-9]{4,10}",
        "Tier": "TIER[1-6]",
        "enTips": _YES_NO,
        "invoiceNo": r"[A-Za-z0-9/_\-]{3,20}",
        "gstBrkUp": r"[A-Za-z]{2,8}:[0-9.]{1,18}(?:\|[A-Za-z]{2,8}:[0-9.]{1,18}){0,9}",
        "gstIn": "[0-9A-Z]{15}",
        "Consent": _YES_NO,
        "amrule": "MAX|EXACT",
        "recur": "ONETIME|DAILY|WEEKLY|FORTNIGHTLY|MONTHLY|BIMONTHLY|QUARTERLY|HALFYEARLY|YEARLY"
        "|ASPRESENTED",
        "recurvalue": "[1-9][0-9]?",
        "recurtype": "BEFORE|ON|AFTER",
        "rev": _YES_NO,
        "share": _YES_NO,
        "block": _YES_NO,
        "umn": r"[A-Za-z0-9]{1,70}@[A-Za-z][A-Za-z0-9.]{1,63}",
        "skip": "[A-Za-z0-9]{1,20}",
        "txnType": "PAY|COLLECT|CREATE|UPDATE|REVOKE",
    }.items()
}


def check(name: str, value: str) -> str:
    """Return the value as it is. Raises LinkParameterInvalidError if it breaks its rule."""
    longest = _TEXTS.get(name)
    if longest is not None:
        is_good = 1 <= len(value) <= longest and is_readable(value)
    else:
        pattern = _PATTERNS.get(name)
        is_good = pattern is None or pattern.fullmatch(value) is not None
    if not is_good:
        raise LinkParameterInvalidError(field=name)
    return value


def is_readable(text: str) -> bool:
    """
    Tell whether a text shows a person nothing but itself.

    No control signs, nothing that turns the direction of writing or has no width, no letter that
    looks like an ASCII one: only ASCII, the scripts of India, and punctuation.
    """
    return (
        text.isprintable()
        and bool(text.strip())
        and unicodedata.is_normalized("NFC", text)
        and all(sign.isascii() or _is_of_india(sign) for sign in text)
    )


def _is_of_india(sign: str) -> bool:
    category = unicodedata.category(sign)
    if category[0] in {"L", "M", "N"}:
        return unicodedata.name(sign, "").partition(" ")[0] in _SCRIPTS
    return category == "Sc"


def address(name: str, value: str) -> VpaAddress:
    """Read a payment address. Raises LinkParameterInvalidError."""
    try:
        return VpaAddress.parse(value)
    except ValueError as error:
        raise LinkParameterInvalidError(field=name) from error


def amount(name: str, value: str) -> Money:
    """
    Read an amount of rupees above zero, with at most two decimals: "10", "10.5" or "10.50".

    Raises LinkParameterInvalidError.
    """
    match = _AMOUNT.fullmatch(value) if value.isascii() else None
    if match is None:
        raise LinkParameterInvalidError(field=name)
    found = Money.from_rupees(f"{match[1]}.{(match[2] or '').ljust(2, '0')}")
    if not found:
        raise LinkParameterInvalidError(field=name)
    return found


def day(name: str, value: str) -> dt.date:
    """Read a day written ddMMyyyy. Raises LinkParameterInvalidError."""
    match = _DAY.fullmatch(value) if value.isascii() else None
    try:
        if match is not None:
            return dt.date(int(match[3]), int(match[2]), int(match[1]))
    except ValueError:
        pass
    raise LinkParameterInvalidError(field=name)


def instant(name: str, value: str) -> dt.datetime:
    """Read an ISO 8601 instant with its offset. Raises LinkParameterInvalidError."""
    try:
        if value.isascii() and _INSTANT.fullmatch(value):
            return dt.datetime.fromisoformat(value)
    except ValueError:
        pass
    raise LinkParameterInvalidError(field=name)
