"""What the bank asks of the core-banking host, read from a message, and what the host answers."""

import enum
import hashlib
from dataclasses import dataclass, replace
from typing import Self

from sandbox.host_codec import Message

RUPEE = "356"
_KEY_FIELDS = (3, 4, 7, 11, 32, 37, 41, 49)
# What makes two requests of one key the same one.
_CONTENT_FIELDS = (3, 4, 7, 11, 32, 37, 41, 48, 49, 102, 103)
_STAN = slice(4, 10)
_SENT_AT = slice(10, 20)
_ACQUIRER = slice(20, 31)


class Processing(enum.StrEnum):
    """Processing codes (DE3)."""

    DEBIT = "000000"
    CREDIT = "210000"
    RETURN = "200000"
    BALANCE = "310000"
    ENQUIRY = "380000"


MOVING = frozenset({Processing.DEBIT, Processing.CREDIT, Processing.RETURN})


class Response(enum.StrEnum):
    """Response codes (DE39) that this host gives of itself."""

    DONE = "00"
    INVALID = "12"
    NO_ACCOUNT = "14"
    NO_ACTION = "21"
    NOT_FOUND = "25"
    FORMAT = "30"
    TOO_POOR = "51"
    CLOSED = "53"
    OVER_LIMIT = "61"
    RESTRICTED = "62"
    NOT_SIGNED_ON = "91"
    DUPLICATE = "94"


@dataclass(frozen=True, slots=True)
class Key:
    """By what one request is told from every other: terminal, STAN and instant."""

    terminal: str
    stan: str
    sent_at: str


@dataclass(frozen=True, slots=True)
class Request:
    """A financial message that is well formed."""

    key: Key
    processing: Processing
    acquirer: str
    rrn: str
    upi_id: str
    account: str
    # What is asked for, and what of it is to move: less in a partial approval.
    asked_paise: int
    paise: int
    content: str
    # Whom an enquiry or a reversal means.
    original: Key | None

    @classmethod
    def read(cls, message: Message) -> "Self | Response":
        """Return the request, or the response code by which it is refused."""
        needed = [*_KEY_FIELDS]
        if message.mti in {"0420", "0421"}:
            needed.append(90)
        if not all(message.get(number) for number in needed):
            return Response.FORMAT
        if message.get(3) not in set(Processing) or message.get(49) != RUPEE:
            return Response.INVALID
        processing = Processing(message.get(3))
        original = _original(message)
        if processing is Processing.ENQUIRY and original is None:
            return Response.FORMAT
        account = message.get(103 if processing in _TO_ACCOUNT else 102)
        if not account and processing is not Processing.ENQUIRY:
            return Response.FORMAT
        content = "|".join(message.get(number) for number in _CONTENT_FIELDS)
        return cls(
            key=Key(message.get(41), message.get(11), message.get(7)),
            processing=processing,
            acquirer=message.get(32),
            rrn=message.get(37),
            upi_id=message.get(48),
            account=account,
            asked_paise=int(message.get(4)),
            paise=int(message.get(4)),
            content=hashlib.sha256(content.encode()).hexdigest(),
            original=original,
        )

    @property
    def change(self) -> int:
        """Return what the account gains by it; a debit's is negative."""
        return -self.paise if self.processing is Processing.DEBIT else self.paise

    def of(self, paise: int) -> "Request":
        """Return the same for less money, as a partial approval posts it."""
        return replace(self, paise=paise)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the host says to a request."""

    response: str
    business_date: str
    paise: int | None = None
    approval: str = ""
    balance_paise: int | None = None
    # An enquiry's word on its original.
    original_response: str = ""


_TO_ACCOUNT = frozenset({Processing.CREDIT, Processing.RETURN})


def _original(message: Message) -> Key | None:
    named = message.get(90)
    if not named or named[_ACQUIRER].lstrip("0") != message.get(32).lstrip("0"):
        return None
    return Key(message.get(41), named[_STAN], named[_SENT_AT])
