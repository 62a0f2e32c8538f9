"""Identifiers: time-ordered row ids, UPI ids, and the ids that the APIs show."""

import datetime as dt
import secrets
import time
import uuid

# Crockford's base 32: no I, L, O or U, so that ids survive being read aloud.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_DIGITS = 26
_BITS = 5


def uuid7() -> uuid.UUID:
    """Return a UUID whose order is the order of time, to the millisecond (RFC 9562, 5.7)."""
    return _uuid7(time.time_ns() // 1_000_000, secrets.randbits(74))


def uuid7_many(count: int) -> list[uuid.UUID]:
    """Return UUIDs of one moment, as `uuid7` makes them: one reading of the clock for all."""
    milliseconds = time.time_ns() // 1_000_000
    random = secrets.token_bytes(10 * count)
    return [
        _uuid7(milliseconds, int.from_bytes(random[start : start + 10], "big") >> 6)
        for start in range(0, 10 * count, 10)
    ]


def uuid7_floor(at: dt.datetime) -> uuid.UUID:
    """Return the lowest UUIDv7 of an instant: the bound of a partition, the start of a range."""
    return _uuid7(int(at.timestamp() * 1000), 0)


def _uuid7(milliseconds: int, random: int) -> uuid.UUID:
    high, low = random >> 62, random & ((1 << 62) - 1)
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


def instant_of(value: uuid.UUID) -> dt.datetime:
    """Return when a UUIDv7 was made."""
    milliseconds = value.int >> 80
    return dt.datetime.fromtimestamp(milliseconds / 1000, tz=dt.UTC)


def new_upi_id(prefix: str) -> str:
    """Return a new Txn or message id: the participant's three letters and 32 hexadecimal digits."""
    return f"{prefix}{uuid.uuid4().hex}"


def public_id(prefix: str, value: uuid.UUID) -> str:
    """Write a row's id for an API, such as "ord_01jdw…": sortable, with its kind in front."""
    number = value.int
    digits = [_ALPHABET[number >> (_BITS * place) & 31] for place in reversed(range(_DIGITS))]
    return f"{prefix}_{''.join(digits)}"


def parse_public_id(prefix: str, text: str) -> uuid.UUID | None:
    """Read an API id back. Anything that is not exactly one of ours is None, never an error."""
    head, _, tail = text.partition("_")
    if head != prefix or len(tail) != _DIGITS or any(sign not in _ALPHABET for sign in tail):
        return None
    number = 0
    for sign in tail:
        number = number << _BITS | _ALPHABET.index(sign)
    return uuid.UUID(int=number) if number < 1 << 128 else None
