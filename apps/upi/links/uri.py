"""
`upi://` links as text: read strictly, and written in one way only.

A link is read by two programs at least, the one that shows it and the one that pays it. So whatever
two readers could understand differently is refused: parameters given twice or in another case,
encodings that decode to something else when decoded again, signs that a URI does not have.
Source: upi-protocol 6.2 and 6.3.
"""

import base64
import binascii
import re
from urllib.parse import quote, unquote

from apps.common.errors import DuplicateParameterError
from apps.upi.links import rules
from apps.upi.links.errors import (
    LinkCurrencyError,
    LinkMalformedError,
    LinkParameterInvalidError,
    LinkParameterMissingError,
    LinkParametersContradictError,
    LinkSignatureMalformedError,
)
from apps.upi.links.intent import (
    DEFAULT_MCC,
    DEFAULT_MODE,
    DEFAULT_PURPOSE,
    DYNAMIC_MODES,
    Action,
    Intent,
    MandateTerms,
    ReadLink,
)

# A QR code of version 40 holds less than 3,000 bytes, and nobody scans one.
LINK_SIGNS_MAX = 2048
PARAMETERS_MAX = 64
CURRENCY = "INR"

_STARTS = {
    "upi://pay?": Action.PAY,
    "upi://mandate?": Action.MANDATE,
    "upi://collect?": Action.COLLECT,
    # The schemes by which a page calls one app rather than any (upi-protocol 6.2).
    "tez://upi/pay?": Action.PAY,
    "phonepe://pay?": Action.PAY,
    "paytmmp://pay?": Action.PAY,
}
_SIGN = "&sign="
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
# RFC 3986: what may stand in a query unencoded, without the separators & and =, and without #.
_VALUE = re.compile(r"(?:[A-Za-z0-9\-._~!$'()*+,;:@/?]|%[0-9A-Fa-f]{2})+")
_ENCODED_SIGNATURE = re.compile(r"(?:[A-Za-z0-9+/=]|%2[BFbf]|%3[Dd]){4,1400}")
_SAFE = "@"

_TYPED = (
    *("pa", "pn", "mc", "tid", "tr", "tn", "am", "mam", "cu", "url", "mode", "purpose", "orgid"),
    *("QRts", "QRexpire"),
)
_MANDATE = (
    *("mn", "validitystart", "validityend", "amrule", "recur", "recurvalue", "recurtype", "rev"),
    *("share", "block", "umn", "skip", "fam"),
)
# Those that only inform, in the order in which they are written.
_OTHERS = (
    *("ver", "qrMedium", "category", "mid", "msid", "mtid", "split", "pinCode", "Tier", "enTips"),
    *("invoiceNo", "invoiceDate", "invoiceName", "gstBrkUp", "gstIn", "query", "Consent"),
)
_KNOWN = frozenset({*_TYPED, *_MANDATE, *_OTHERS, "txnType", "sign"})
_KNOWN_FOLDED = frozenset(name.lower() for name in _KNOWN)

_TXN_TYPES = {
    Action.PAY: {"PAY"},
    Action.COLLECT: {"COLLECT"},
    Action.MANDATE: {"CREATE", "UPDATE", "REVOKE"},
}
_NEEDED = {
    Action.PAY: ("pa", "pn"),
    Action.COLLECT: ("pa", "pn", "am"),
    Action.MANDATE: ("pa", "pn"),
}
_NEEDED_TO_CREATE = ("mn", "validitystart", "validityend", "am", "amrule", "recur")
# upi-protocol 3.9: these come without a rule of days.
_WITHOUT_RULE = frozenset({"ONETIME", "DAILY", "ASPRESENTED"})
_RULE_MAX = {"WEEKLY": 7, "FORTNIGHTLY": 16}
_RULE_MAX_ELSE = 31


def read(text: str) -> ReadLink:
    """
    Read a link.

    Raises LinkMalformedError, DuplicateParameterError, LinkSignatureMalformedError, then for each
    parameter LinkParameterMissingError, LinkCurrencyError, LinkParameterInvalidError, and at last
    LinkParametersContradictError.
    """
    action, query = _split(text)
    signed_text, signature = _cut_signature(text)
    values = _decoded(query)
    unknown = tuple(sorted(set(values) - _KNOWN))
    _check_present(action, values)
    if values.get("cu", CURRENCY) != CURRENCY:
        raise LinkCurrencyError(field="cu")
    for name, value in values.items():
        rules.check(name, value)
    if signature is not None and "orgid" not in values:
        raise LinkSignatureMalformedError("The link names no signer", field="orgid")
    intent = _intent(action, values, unknown)
    _check_consistent(intent)
    return ReadLink(intent=intent, signed_text=signed_text, signature=signature)


def write(intent: Intent) -> str:
    """Write a link without a signature. What `read` would refuse is a bug of the caller."""
    values = _values(intent)
    query = "&".join(f"{name}={quote(value, safe=_SAFE)}" for name, value in values.items())
    text = f"upi://{intent.action.value}?{query}"
    assert read(text).intent == intent, "what we write is what is read"
    return text


def with_signature(text: str, signature: bytes) -> str:
    """Return a link with the signature over its text as the last parameter."""
    assert _SIGN not in text, "a link is signed once"
    return f"{text}{_SIGN}{quote(base64.b64encode(signature).decode(), safe='')}"


def _split(text: str) -> tuple[Action, str]:
    if len(text) > LINK_SIGNS_MAX:
        raise LinkMalformedError("The link is too long")
    for start, action in _STARTS.items():
        if text.startswith(start):
            return action, text[len(start) :]
    raise LinkMalformedError("The link has another scheme than upi")


def _cut_signature(text: str) -> tuple[str, bytes | None]:
    """Return the text that was signed, and the signature: the last parameter if there is one."""
    signed_text, separator, encoded = text.partition(_SIGN)
    if not separator:
        return text, None
    if not _ENCODED_SIGNATURE.fullmatch(encoded):
        raise LinkSignatureMalformedError(field="sign")
    try:
        return signed_text, base64.b64decode(unquote(encoded), validate=True)
    except (binascii.Error, ValueError) as error:
        raise LinkSignatureMalformedError(field="sign") from error


def _decoded(query: str) -> dict[str, str]:
    """Return the parameters by name, without the signature."""
    values: dict[str, str] = {}
    pairs = query.split("&")
    if len(pairs) > PARAMETERS_MAX:
        raise LinkMalformedError("The link has too many parameters")
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator:
            raise LinkMalformedError("The link is not a list of name=value")
        _check_name(name)
        if name in values:
            raise DuplicateParameterError(field=name)
        values[name] = value
    if "sign" in values and values.pop("sign") != query.partition(_SIGN)[2]:
        raise LinkSignatureMalformedError("The signature is not last", field="sign")
    return {name: _percent_decoded(name, value) for name, value in values.items()}


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise LinkMalformedError("The link is not a list of name=value")
    if name not in _KNOWN and name.lower() in _KNOWN_FOLDED:
        # Am is not am; but somebody's reader may think so.
        raise LinkParameterInvalidError("Names of parameters have one case", field=name)


def _percent_decoded(name: str, value: str) -> str:
    """Decode once, strictly; a plus is a plus."""
    if not _VALUE.fullmatch(value):
        raise LinkParameterInvalidError(field=name)
    head, *rest = value.split("%")
    data = head.encode("ascii") + b"".join(
        bytes([int(part[:2], 16)]) + part[2:].encode("ascii") for part in rest
    )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LinkParameterInvalidError(field=name) from error


def _check_present(action: Action, values: dict[str, str]) -> None:
    kind = values.get("txnType")
    if kind is not None and kind not in _TXN_TYPES[action]:
        raise LinkParameterInvalidError(field="txnType")
    for name in _needed(action, kind, values.get("mode")):
        if name not in values:
            raise LinkParameterMissingError(field=name)
    strays = [name for name in _MANDATE if name in values and action is not Action.MANDATE]
    if strays:
        raise LinkParameterInvalidError("It belongs into a mandate's link", field=strays[0])


def _needed(action: Action, kind: str | None, mode: str | None) -> tuple[str, ...]:
    needed = _NEEDED[action]
    if action is Action.MANDATE:
        needed += _NEEDED_TO_CREATE if kind in {None, "CREATE"} else ("umn",)
    if mode in DYNAMIC_MODES:
        needed += ("tr",)
    return needed


def _intent(action: Action, values: dict[str, str], unknown: tuple[str, ...]) -> Intent:
    amount, minimum = values.get("am"), values.get("mam")
    made, ends = values.get("QRts"), values.get("QRexpire")
    if "invoiceDate" in values:
        rules.instant("invoiceDate", values["invoiceDate"])
    return Intent(
        action=action,
        payee=rules.address("pa", values["pa"]),
        payee_name=values["pn"],
        mcc=values.get("mc", DEFAULT_MCC),
        transaction_id=values.get("tid", ""),
        reference=values.get("tr", ""),
        note=values.get("tn", ""),
        amount=rules.amount("am", amount) if amount is not None else None,
        minimum=rules.amount("mam", minimum) if minimum is not None else None,
        url=values.get("url", ""),
        mode=values.get("mode", DEFAULT_MODE),
        purpose=values.get("purpose", DEFAULT_PURPOSE),
        signer=values.get("orgid", ""),
        created_at=rules.instant("QRts", made) if made is not None else None,
        expires_at=rules.instant("QRexpire", ends) if ends is not None else None,
        mandate=_terms(values) if action is Action.MANDATE else None,
        others=tuple((name, values[name]) for name in _OTHERS if name in values),
        unknown=unknown,
    )


def _terms(values: dict[str, str]) -> MandateTerms:
    start, end, first = (values.get(name) for name in ("validitystart", "validityend", "fam"))
    value = values.get("recurvalue")
    return MandateTerms(
        kind=values.get("txnType", "CREATE"),
        name=values.get("mn", ""),
        start_date=rules.day("validitystart", start) if start is not None else None,
        end_date=rules.day("validityend", end) if end is not None else None,
        amount_rule=values.get("amrule", ""),
        recurrence=values.get("recur", ""),
        recurrence_value=int(value) if value is not None else None,
        recurrence_type=values.get("recurtype", ""),
        first_amount=rules.amount("fam", first) if first is not None else None,
        is_revocable=_yes(values.get("rev")),
        is_shared=_yes(values.get("share")),
        is_blocked=_yes(values.get("block")),
        umn=values.get("umn", ""),
        skip=values.get("skip", ""),
    )


def _yes(value: str | None) -> bool | None:
    return None if value is None else value == "Y"


def _check_consistent(intent: Intent) -> None:
    if intent.amount is not None and intent.minimum is not None and intent.minimum > intent.amount:
        raise LinkParametersContradictError(field="mam")
    made, ends = intent.created_at, intent.expires_at
    if made is not None and ends is not None and ends <= made:
        raise LinkParametersContradictError(field="QRexpire")
    if intent.mandate is not None:
        _check_terms(intent.mandate, intent)


def _check_terms(terms: MandateTerms, intent: Intent) -> None:
    start, end = terms.start_date, terms.end_date
    if start is not None and end is not None and end < start:
        raise LinkParametersContradictError(field="validityend")
    first = terms.first_amount
    if first is not None and intent.amount is not None and first > intent.amount:
        raise LinkParametersContradictError(field="fam")
    if terms.recurrence_value is None:
        if terms.recurrence_type:
            raise LinkParametersContradictError(field="recurtype")
        return
    longest = _RULE_MAX.get(terms.recurrence, _RULE_MAX_ELSE)
    if terms.recurrence in _WITHOUT_RULE or terms.recurrence_value > longest:
        raise LinkParametersContradictError(field="recurvalue")


def _values(intent: Intent) -> dict[str, str]:
    """Return the parameters of an intent in the order of writing; what is empty is left out."""
    others = dict(intent.others)
    values = {
        "ver": others.pop("ver", ""),
        "mode": intent.mode if intent.mode != DEFAULT_MODE else "",
        "purpose": intent.purpose if intent.purpose != DEFAULT_PURPOSE else "",
        "orgid": intent.signer,
        "pa": str(intent.payee),
        "pn": intent.payee_name,
        "mc": intent.mcc if intent.mcc != DEFAULT_MCC else "",
        "tid": intent.transaction_id,
        "tr": intent.reference,
        "tn": intent.note,
        "am": intent.amount.as_rupees() if intent.amount else "",
        "mam": intent.minimum.as_rupees() if intent.minimum else "",
        "cu": CURRENCY,
        "url": intent.url,
        "QRts": intent.created_at.isoformat() if intent.created_at else "",
        "QRexpire": intent.expires_at.isoformat() if intent.expires_at else "",
        **(_term_values(intent.mandate) if intent.mandate else {}),
        **others,
    }
    return {name: value for name, value in values.items() if value}


def _term_values(terms: MandateTerms) -> dict[str, str]:
    flags = {"rev": terms.is_revocable, "share": terms.is_shared, "block": terms.is_blocked}
    value = terms.recurrence_value
    return {
        "txnType": terms.kind,
        "mn": terms.name,
        "validitystart": f"{terms.start_date:%d%m%Y}" if terms.start_date else "",
        "validityend": f"{terms.end_date:%d%m%Y}" if terms.end_date else "",
        "amrule": terms.amount_rule,
        "recur": terms.recurrence,
        "recurvalue": str(value) if value is not None else "",
        "recurtype": terms.recurrence_type,
        "fam": terms.first_amount.as_rupees() if terms.first_amount else "",
        **{name: "" if flag is None else "NY"[flag] for name, flag in flags.items()},
        "umn": terms.umn,
        "skip": terms.skip,
    }
