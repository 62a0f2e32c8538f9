"""How single values are read from the wire and written to it, and the patterns they must match."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apps.common import clock
from apps.common.addresses import VpaAddress
from apps.common.money import Money
from apps.common.secret import Secret

# upi-protocol 1.3: ISO 8601 with zone. fromisoformat() accepts far more than that.
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_DAY = re.compile("[0-9]{8}")
_DAYS_OF_MONTH_MAX = 31
_NUMBER = re.compile("0|[1-9][0-9]{0,8}")
# upi-protocol 2.3: at most 18 digits with the two decimals.
_AMOUNT_LENGTH_MAX = 18
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Kind:
    """Reads a text, raising ValueError when it is not one of this kind, and writes it back."""

    read: Callable[[str], Any]
    write: Callable[[Any], str] = str


def text(pattern: str) -> Kind:
    """Return the kind of texts that match the whole pattern."""
    compiled = re.compile(pattern)

    def read(value: str) -> str:
        if compiled.fullmatch(value) is None:
            raise ValueError(pattern)
        return value

    return Kind(read)


def one_of(*values: str) -> Kind:
    """Return the kind of texts that are one of those given."""
    known = frozenset(values)

    def read(value: str) -> str:
        if value not in known:
            raise ValueError(value)
        return value

    return Kind(read)


def printable(shortest: int, longest: int) -> Kind:
    """Return the kind of texts of any script without control characters."""
    return text(rf"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{{{shortest},{longest}}}")


def _read_instant(value: str) -> dt.datetime:
    if _INSTANT.fullmatch(value) is None:
        raise ValueError("an instant has date, time and zone")
    # Python 3.11 reads fractions of any length, but not instants in the year 0 or with hour 24.
    return dt.datetime.fromisoformat(value).astimezone(clock.IST)


def _write_instant(value: dt.datetime) -> str:
    if value.microsecond:
        return clock.iso(value)
    return value.astimezone(clock.IST).isoformat(timespec="seconds")


def _read_money(value: str) -> Money:
    if len(value) > _AMOUNT_LENGTH_MAX:
        raise ValueError("an amount has at most 18 digits")
    return Money.from_rupees(value)


def _read_address(value: str) -> str:
    VpaAddress.parse(value)
    return value


def _read_truth(value: str) -> bool:
    if value not in {"TRUE", "FALSE"}:
        raise ValueError(value)
    return value == "TRUE"


def _read_flag(value: str) -> bool:
    if value not in {"Y", "N"}:
        raise ValueError(value)
    return value == "Y"


def _read_day(value: str) -> dt.date:
    if _DAY.fullmatch(value) is None:
        raise ValueError("a day is ddMMyyyy")
    return dt.date(int(value[4:]), int(value[2:4]), int(value[:2]))


def _write_day(value: dt.date) -> str:
    return f"{value.day:02d}{value.month:02d}{value.year:04d}"


def _read_number(value: str) -> int:
    if _NUMBER.fullmatch(value) is None:
        raise ValueError("a number has digits and no leading zero")
    return int(value)


def _read_day_number(value: str) -> int:
    number = _read_number(value)
    if not 1 <= number <= _DAYS_OF_MONTH_MAX:
        raise ValueError("a day of the month is 1 to 31")
    return number


def _read_secret(value: str) -> Secret[str]:
    return Secret(BLOCK.read(value))


def _write_secret(value: Secret[str]) -> str:
    return value.reveal()


INSTANT = Kind(_read_instant, _write_instant)
MONEY = Kind(_read_money, Money.as_rupees)
ADDRESS = Kind(_read_address)
TRUTH = Kind(_read_truth, lambda value: "TRUE" if value else "FALSE")
FLAG = Kind(_read_flag, lambda value: "Y" if value else "N")
# upi-protocol 2.3: the days of a mandate's validity, ddMMyyyy.
DAY = Kind(_read_day, _write_day)
NUMBER = Kind(_read_number)
DAY_NUMBER = Kind(_read_day_number)
# A block may be wrapped; whether it is one at all is for whoever opens it to say.
BLOCK = text(r"[\t\n\r -~]{0,4096}")
SECRET = Kind(_read_secret, _write_secret)
# upi-protocol 1.3: 35 characters since 1 February 2025; older and message ids may be shorter.
TXN_ID = text(r"[A-Za-z0-9]{35}")
ID = text(r"[A-Za-z0-9]{1,35}")
RRN = text(r"[0-9]{12}")
IFSC = text(r"[A-Z]{4}0[A-Z0-9]{6}")
ACCOUNT = text(r"[A-Za-z0-9]{1,30}")
CODE_4 = text(r"[0-9]{4}")
MOBILE = text("[0-9]{12}")
UMN = text("[A-Za-z0-9.@_-]{1,70}")
ORGANISATION = text(r"[A-Za-z0-9]{1,20}")
# A bank's code, or the switch's with the bank's behind a tilde, such as U30~Z9|Z9.
RESULT_CODE = text(r"[A-Za-z0-9~|]{1,20}")
RESULT_CODE_OR_EMPTY = text(r"[A-Za-z0-9~|]{0,20}")
REFERENCE = text(r"[A-Za-z0-9-]{1,35}")
SEQUENCE = text(r"[0-9]{1,3}")
NAME = printable(1, 99)
# The checker says alphanumeric; spaces are tolerated (upi-protocol 2.3).
NOTE = text(r"[A-Za-z0-9 ]{1,50}")
URL = text(r"(?=.{1,35}\Z)https?://[!-~]+")
YES_NO = one_of("Y", "N")
ACCOUNT_TYPE = one_of(
    "SAVINGS",
    "CURRENT",
    "DEFAULT",
    "NRE",
    "NRO",
    "CREDIT",
    "PPIWALLET",
    "BANKWALLET",
    "SOD",
    "UOD",
)
