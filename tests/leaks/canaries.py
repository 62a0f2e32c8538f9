"""
The canaries of a run, and every form in which one of them could lie somewhere.

A canary is a credential block, the clear PIN block inside it, or a PIN. Each is searched by short
windows rather than as a whole, so that a part of it is found too.

* A window of a block's text holds letters and digits only: it stands unchanged in JSON, in XML
  and in a URL, whatever those escape.
* All windows of one form begin with the same byte where they can. `grep` then passes over what
  cannot be a hit with one comparison, and searches for 100,000 patterns as fast as for one.
* A row of more than 2 kB is compressed in the WAL: after each eight letters comes a byte that says
  that they were no repetition. The windows with that byte are searched too.
* A PIN of ten digits or more is searched as it is: among a billion random digits the chance of
  meeting one of them is below one in ten. The PINs of this suite's own payments are that long.
* A shorter PIN (the run has a few hundred of them, OTPs included, of four to eight digits) would
  be met by chance in times, amounts and identifiers. It counts only as a group of digits of its
  own beside a word for it ("pin": "…", otp=…, PIN is …, … is the OTP), and only in texts.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

WINDOW_BYTES = 16
RAW_WINDOW_BYTES = 12
PIN_BLOCK_BYTES = 8
LONG_PIN_DIGITS_MIN = 10
# Tests make blocks of PIN 0000 and account 000000 too: what has no more to it is met by chance.
PIN_BLOCK_VALUES_MIN = 5
ACCOUNT_DIGITS_MIN = 12
ACCOUNT_DIGITS_WITHOUT_ZEROS_MIN = 7
_TEXT_ANCHOR = b"Q"
_RAW_ANCHOR = b"Z"
_PGLZ_RUN = 8
_MIME_LINE = 76
_WORD = rb"(?:pin|mpin|otp|secret|password|passcode|credential)(?:_?(?:code|value|text|block))?"
SHORT_PIN = re.compile(
    rb"(?i)(?<![a-z])" + _WORD + rb"(?:[ \t]+(?:is|was|of|for))?[^0-9a-z\r\n]{1,6}"
    rb"([0-9]{4,9})(?![0-9a-z])"
    rb"|(?<![0-9a-z])([0-9]{4,9})[ \t]+is[ \t]+(?:the|your)[ \t]+" + _WORD
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """What to look for: the bytes, whose they are, and in which form."""

    value: bytes = field(repr=False)
    canary: str
    form: str


@dataclass(frozen=True, slots=True)
class Canaries:
    """
    What a run has made: blocks, clear PIN blocks, PINs, and the accounts they belong to.

    A test that fails prints its values: these must not be printed.
    """

    blocks: frozenset[str] = field(repr=False)
    pin_blocks: frozenset[bytes] = field(repr=False)
    pins: frozenset[str] = field(repr=False)
    accounts: frozenset[str] = field(repr=False)

    @property
    def long_pins(self) -> list[str]:
        """The PINs that cannot be met by chance."""
        return sorted(pin for pin in self.pins if len(pin) >= LONG_PIN_DIGITS_MIN)

    @property
    def short_pins(self) -> frozenset[bytes]:
        """The PINs that count only after a word for one."""
        return frozenset(pin.encode() for pin in self.pins if len(pin) < LONG_PIN_DIGITS_MIN)

    def patterns(self) -> list[Pattern]:
        """Return all that is looked for as fixed bytes."""
        found = [*(pattern for block in sorted(self.blocks) for pattern in block_patterns(block))]
        for value in sorted(self.pin_blocks):
            found += pin_block_patterns(value)
        for pin in self.long_pins:
            found += pin_patterns(pin)
        return found


def read(path: Path) -> Canaries:
    """Read what the sandbox wrote down, one JSON object a line."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    return of(json.loads(line) for line in lines)


def of(entries: Iterable[dict[str, str]]) -> Canaries:
    """Return the canaries of the entries."""
    entries = list(entries)
    return Canaries(
        blocks=frozenset(entry["block"] for entry in entries),
        pin_blocks=frozenset(
            value
            for entry in entries
            if "sealed" in entry
            and len(set(value := bytes.fromhex(entry["sealed"])[:PIN_BLOCK_BYTES]))
            >= PIN_BLOCK_VALUES_MIN
        ),
        pins=frozenset(entry["secret"] for entry in entries),
        accounts=frozenset(entry["account"] for entry in entries if "account" in entry),
    )


def block_patterns(block: str) -> Iterator[Pattern]:
    """Yield the forms of a credential block: its text, and the bytes that the text encodes."""
    text = block.partition("|")[2].encode()
    raw = base64.b64decode(text)
    name = f"block …{block[-10:-4]}…"
    half = len(text) // 2
    ends = [text[:half], text[half:]]
    for window in {_in_one_line(end, start) for end, start in zip(ends, (0, half), strict=True)}:
        yield Pattern(window, name, "text")
        yield from _encoded(window, name, "text")
    for window in _windows(text, anchor=_TEXT_ANCHOR, size=WINDOW_BYTES)[:2]:
        yield from _compressed(text[text.index(window) :], name)
    window = _windows(raw, anchor=_RAW_ANCHOR, size=RAW_WINDOW_BYTES)[0]
    yield Pattern(window, name, "bytes")
    for form, value in _hexadecimal(window).items():
        yield Pattern(value, name, f"bytes, {form}")
    for shift in (1, 2):
        shifted = base64.b64encode(raw[shift:])
        window = _windows(shifted, anchor=_TEXT_ANCHOR, size=WINDOW_BYTES)[0]
        yield Pattern(window, name, f"bytes, base64 from byte {shift}")


def pin_block_patterns(value: bytes) -> Iterator[Pattern]:
    """Yield the forms of a clear PIN block: eight bytes that only the token may see."""
    name = "clear PIN block"
    if b"\n" not in value:
        yield Pattern(value, name, "bytes")
    yield from _encoded(value, name, "bytes")


def pin_patterns(pin: str) -> Iterator[Pattern]:
    """Yield the forms of a long PIN: its digits as text, and packed two to a byte."""
    name = f"PIN …{pin[-2:]}"
    yield Pattern(pin.encode(), name, "digits")
    yield from _encoded(pin.encode(), name, "digits")
    packed = bytes.fromhex(pin[: len(pin) // 2 * 2])
    if b"\n" not in packed:
        yield Pattern(packed, name, "packed digits")


def account_patterns(numbers: Iterable[str]) -> Iterator[Pattern]:
    """Yield the forms of account numbers, but of those that other numbers contain by chance."""
    for number in sorted(filter(_is_distinct, numbers)):
        name = f"account …{number[-4:]}"
        yield Pattern(number.encode(), name, "digits")
        yield from _encoded(number.encode(), name, "digits")


def _is_distinct(number: str) -> bool:
    digits = len(number.strip("0"))
    return len(number) >= ACCOUNT_DIGITS_MIN and digits >= ACCOUNT_DIGITS_WITHOUT_ZEROS_MIN


def _encoded(window: bytes, name: str, what: str) -> Iterator[Pattern]:
    """Yield the window in hexadecimal, and inside base64 wherever its first byte falls there."""
    for form, value in _hexadecimal(window).items():
        yield Pattern(value, name, f"{what}, {form}")
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + window)
        # Only those letters whose six bits are all the window's own.
        inner = whole[-(-8 * shift // 6) : 8 * (shift + len(window)) // 6]
        safe = inner.translate(bytes.maketrans(b"+/", b"-_"))
        # A path keeps the slash, a query does not.
        for value in {inner, safe, quote(inner).encode(), quote(inner, safe="").encode()}:
            yield Pattern(value, name, f"{what}, base64")


def _hexadecimal(window: bytes) -> dict[str, bytes]:
    return {"hex": window.hex().encode(), "upper hex": window.hex().upper().encode()}


def _compressed(text: bytes, name: str) -> Iterator[Pattern]:
    """Yield the beginning of the text as PostgreSQL's pglz writes it, for each place in a run."""
    for first in range(1, _PGLZ_RUN + 1):
        runs = [text[:first], text[first : first + _PGLZ_RUN], text[first + _PGLZ_RUN :][:4]]
        yield Pattern(b"\0".join(runs), name, "text, compressed")


def _in_one_line(text: bytes, start: int) -> bytes:
    """Return a window of a part of a block's text that no line end of MIME would cut in two."""
    offsets = [
        offset
        for offset in range(len(text) - WINDOW_BYTES + 1)
        if (start + offset) % _MIME_LINE <= _MIME_LINE - WINDOW_BYTES
        and text[offset : offset + WINDOW_BYTES].isalnum()
    ]
    anchored = [offset for offset in offsets if text[offset:].startswith(_TEXT_ANCHOR)]
    offset = next(iter(anchored or offsets))
    return text[offset : offset + WINDOW_BYTES]


def _windows(content: bytes, *, anchor: bytes, size: int) -> list[bytes]:
    """Return the windows that begin with the anchor, or all there are if none does."""
    whole = [content[start : start + size] for start in range(len(content) - size + 1)]
    if anchor == _TEXT_ANCHOR:
        fit = [window for window in whole if window.isalnum()]
    else:
        fit = [window for window in whole if b"\n" not in window]
    return [window for window in fit if window.startswith(anchor)] or fit
