"""Bodies that every JSON endpoint refuses, by the member they spoil: one table for all of them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

JSON = "application/json"


@dataclass(frozen=True)
class BadBody:
    """A spoilt body and its refusal; `member` is what an endpoint must have for it to apply."""

    case: str
    spoil: Callable[[dict[str, Any]], bytes]
    status: int
    code: str
    member: str = ""
    content_type: str = JSON


def _raw(text: str) -> Callable[[dict[str, Any]], bytes]:
    return lambda _: text.encode()


def _with(**members: Any) -> Callable[[dict[str, Any]], bytes]:
    return lambda body: json.dumps({**body, **members}).encode()


def _without(name: str) -> Callable[[dict[str, Any]], bytes]:
    return lambda body: json.dumps({key: body[key] for key in body if key != name}).encode()


def _bare(name: str, text: str) -> Callable[[dict[str, Any]], bytes]:
    """Put JSON that Python would not write, such as NaN, in the place of a member."""
    mark = json.dumps("PLACE")
    return lambda body: json.dumps({**body, name: "PLACE"}).replace(mark, text).encode()


def _first_member_twice(body: dict[str, Any]) -> bytes:
    name, value = next(iter(body.items()))
    return f"{json.dumps(body)[:-1]}, {json.dumps(name)}: {json.dumps(value)}}}".encode()


def _padded(size: int) -> Callable[[dict[str, Any]], bytes]:
    return lambda body: json.dumps(body).encode().ljust(size)


def _each(
    code: str, member: str, *cases: tuple[str, Callable[[dict[str, Any]], bytes]]
) -> list[BadBody]:
    return [BadBody(case, spoil, 400, code, member) for case, spoil in cases]


FORMS = [
    BadBody("A01 not JSON",       _raw('{"amount":'),             400, "malformed_json"),
    BadBody("A01 an array",       _raw("[]"),                     400, "malformed_json"),
    BadBody("A01 not UTF-8",      lambda _: b'{"note":"\xff"}',   400, "malformed_json"),
    BadBody("A03 65,537 bytes",   _padded(65_537),                413, "too_large"),
    BadBody("A04 100,000 deep",   _raw("[" * 100_000),            413, "too_large"),
    BadBody("A04 30,000 deep",    _raw("[" * 30_000),             400, "malformed_json"),
    BadBody("A05 a member twice", _first_member_twice,            400, "duplicate_member"),
    BadBody("A19 a state",        _with(state="SUCCESS"),         400, "unknown_member"),
    BadBody("A19 a fee",          _with(fee=0),                   400, "unknown_member"),
    BadBody("A19 a flag",         _with(is_internal=True),        400, "unknown_member"),
]  # fmt: skip
FORMS.append(
    BadBody("A02 plain text", _with(), 415, "unsupported_media_type", content_type="text/plain")
)

# The amounts are whole paise: what the cases say of rupees is carried over.
AMOUNTS = _each(
    "invalid_amount",
    "amount",
    ("A06 NaN", _bare("amount", "NaN")),
    ("A06 Infinity", _bare("amount", "Infinity")),
    ("A06 1e400", _bare("amount", "1e400")),
    ("A07 a fraction", _bare("amount", "100.10")),
    ("A07 a whole float", _bare("amount", "100.0")),
    ("A07 rupees as text", _with(amount="100.10")),
    ("A07 true is not one", _with(amount=True)),
    ("A08 nothing", _with(amount=0)),
    ("A08 less than nothing", _with(amount=-100)),
    ("A08 minus nothing", _bare("amount", "-0")),
    ("A09 digits as text", _with(amount="100")),
    ("A09 three decimals", _with(amount="1.001")),
    ("A09 no amount", _without("amount")),
    ("A10 full-width digits", _with(amount="\uff11\uff10\uff10.\uff10\uff10")),
    ("A10 Arabic-Indic digits", _with(amount="\u0661\u0660")),
    ("A11 an exponent", _bare("amount", "1e2")),
    ("A11 a newline at the end", _with(amount="500\n")),
    ("A13 beyond a bigint", _with(amount=999_999_999_999_999_999)),
    ("A13 4,400 digits", _bare("amount", "9" * 4_400)),
)

CURRENCIES = _each(
    "invalid_currency",
    "currency",
    ("A14 dollars", _with(currency="USD")),
    ("A14 lower case", _with(currency="inr")),
    ("A14 no currency", _without("currency")),
)

ADDRESSES = _each(
    "invalid_vpa",
    "payee_vpa",
    ("A15 a newline at the end", _with(payee_vpa="bob@exbank\n")),
    ("A16 a Cyrillic a", _with(payee_vpa="\u0430lice@exbank")),
    ("A16 two @", _with(payee_vpa="a@b@exbank")),
    ("A16 256 signs", _with(payee_vpa="a" * 249 + "@exbank")),
    ("A16 nobody", _with(payee_vpa="@exbank")),
    ("A16 not a text", _with(payee_vpa=["bob@exbank"])),
    ("A16 no address", _without("payee_vpa")),
)

NOTES = _each(
    "invalid_note",
    "note",
    ("A17 a NUL", _with(note="a\u0000b")),
    ("A17 a lone surrogate", _with(note="\ud800")),
    ("A17 writing turned round", _with(note="a\u202eb")),
    ("A17 10,001 signs", _with(note="a" * 10_001)),
)

# A20: (case, headers, code of the refusal).
BAD_KEYS = [
    ("no key",       {},                               "idempotency_key_required"),
    ("an empty key", {"Idempotency-Key": ""},          "idempotency_key_required"),
    ("256 signs",    {"Idempotency-Key": "k" * 256},   "idempotency_key_invalid"),
    ("a new line",   {"Idempotency-Key": "k\r\nX: y"}, "idempotency_key_invalid"),
    ("not ASCII",    {"Idempotency-Key": "k\u00e9"},   "idempotency_key_invalid"),
]  # fmt: skip

BAD_BODIES = [*FORMS, *AMOUNTS, *CURRENCIES, *ADDRESSES, *NOTES]


def spoiling(*members: str) -> list[BadBody]:
    """Return the bodies that apply to an endpoint with these members."""
    return [bad for bad in BAD_BODIES if not bad.member or bad.member in members]


def send(client: Any, path: str, bad: BadBody, body: Mapping[str, Any], **headers: str) -> Any:
    """POST the spoilt body."""
    return client.post(path, bad.spoil(dict(body)), content_type=bad.content_type, headers=headers)
