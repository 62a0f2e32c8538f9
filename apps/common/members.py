"""Read what a client sends: exactly the members that an endpoint names, each by its rule."""

import re
from collections.abc import Collection, Mapping
from typing import Final

from django.http import QueryDict

from apps.common.addresses import VpaAddress
from apps.common.errors import DuplicateParameterError, InvalidInputError
from apps.common.money import Money

# Nine digits of rupees: more than any rule allows, and far below what a bigint of paise holds.
AMOUNT_PAISE_MAX: Final = 99_999_999_999
PAGE_ROWS_MAX: Final = 100
_PAGE_ROWS_DEFAULT: Final = 20
# upi-protocol, Txn/@note: 1 to 50 letters and digits of ASCII, spaces tolerated.
_NOTE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ]{0,48}[A-Za-z0-9])?")
_COUNT = re.compile(r"[0-9]{1,4}")


class UnknownMemberError(InvalidInputError):
    """The body has a member that the endpoint does not know."""

    code = "unknown_member"
    title = "The request has a member that is not known here"


class InvalidMemberError(InvalidInputError):
    """A member is missing or not of its form; the problem document names it in `field`."""

    code = "invalid_member"
    title = "A member of the request is missing or not valid"


class InvalidAmountError(InvalidInputError):
    """The amount is not a whole, positive number of paise within bounds."""

    code = "invalid_amount"
    title = "The amount must be a positive whole number of paise"


class InvalidCurrencyError(InvalidInputError):
    """The currency is not INR."""

    code = "invalid_currency"
    title = "The currency must be INR"


class InvalidVpaError(InvalidInputError):
    """The text is not a payment address."""

    code = "invalid_vpa"
    title = "A payment address is name@handle"


class InvalidNoteError(InvalidInputError):
    """The note has signs that the wire does not carry, or is too long."""

    code = "invalid_note"
    title = "A note is at most 50 letters, digits and spaces"


def check_known(body: Mapping[str, object], known: Collection[str]) -> None:
    """Raise UnknownMemberError if the body has a member beyond `known`."""
    unknown = sorted(set(body) - set(known))
    if unknown:
        raise UnknownMemberError(field=unknown[0][:64].encode("ascii", "replace").decode())


def text(body: Mapping[str, object], name: str, pattern: re.Pattern[str]) -> str:
    """Return a text that matches the whole pattern. Raises InvalidMemberError."""
    value = body.get(name)
    if type(value) is not str or not pattern.fullmatch(value):
        raise InvalidMemberError(field=name)
    return value


def amount(body: Mapping[str, object], name: str = "amount") -> Money:
    """Return a positive amount, given as an integer of paise. Raises InvalidAmountError."""
    value = body.get(name)
    if type(value) is not int or not 0 < value <= AMOUNT_PAISE_MAX:
        raise InvalidAmountError(field=name)
    return Money(value)


def check_currency(body: Mapping[str, object], name: str = "currency") -> None:
    """Raise InvalidCurrencyError unless the member is exactly INR."""
    if body.get(name) != "INR":
        raise InvalidCurrencyError(field=name)


def address(body: Mapping[str, object], name: str) -> VpaAddress:
    """Return a payment address. Raises InvalidVpaError."""
    value = body.get(name)
    if type(value) is not str:
        raise InvalidVpaError(field=name)
    try:
        return VpaAddress.parse(value)
    except ValueError as error:
        raise InvalidVpaError(field=name) from error


def note(body: Mapping[str, object], name: str = "note") -> str:
    """Return the note, "" when there is none. Raises InvalidNoteError."""
    value = body.get(name)
    if value is None:
        return ""
    if type(value) is not str or not _NOTE.fullmatch(value):
        raise InvalidNoteError(field=name)
    return value


def check_parameters(query: QueryDict, known: Collection[str]) -> None:
    """Raise InvalidInputError for an unknown parameter, DuplicateParameterError for a twin."""
    for name, values in query.lists():
        if name not in known:
            raise InvalidInputError("A query parameter is not known here")
        if len(values) > 1:
            raise DuplicateParameterError(field=name)


def page_rows(query: QueryDict, name: str = "limit") -> int:
    """Return how many rows a list may have: 1 to 100, 20 unless told. Raises InvalidInputError."""
    value = query.get(name)
    if value is None:
        return _PAGE_ROWS_DEFAULT
    if not _COUNT.fullmatch(value) or not 0 < int(value) <= PAGE_ROWS_MAX:
        raise InvalidInputError(field=name)
    return int(value)
