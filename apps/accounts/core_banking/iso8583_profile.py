"""What a bank's host speaks, as data: fields, processing codes, and what each response means."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from apps.accounts.core_banking.base import OrderKind, Result

# The profile of docs/iso8583.md. A bank maps its own in a file of the same form.
OURS = Path(__file__).with_name("iso8583_profile.json")

# What a field's characters may be. Of `ans` any ASCII is read: it is escaped wherever it goes.
_CONTENTS = {"n": "[0-9]*", "an": "[A-Za-z0-9 ]*", "ans": r"[\x00-\x7f]*", "b": "[0-9A-F]*"}


class Response(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a response code means for us, and the UPI code that a decline is told with."""

    result: Result
    debit: str = ""
    credit: str = ""

    def __post_init__(self) -> None:
        if (self.result is Result.DECLINED) != bool(self.debit and self.credit):
            raise ValueError("a decline, and nothing else, has a code for debits and for credits")

    def code(self, kind: OrderKind) -> str:
        """Return the UPI code of the decline, "00" when posted, "" when nobody knows."""
        if self.result is Result.POSTED:
            return "00"
        return self.credit if kind is OrderKind.CREDIT else self.debit


class EnquiryResponses(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The response codes of an enquiry itself; any other is as silence."""

    answered: str
    not_found: str


class ReversalResponses(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The response codes by which a host vouches that the original is not posted and never will."""

    cancelled: list[str]


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that differs from one bank's host to another's."""

    # As pyiso8583 takes it; `content` is our own addition, which it ignores.
    fields: dict[str, dict[str, Any]]
    # Fields that are the same in every financial message.
    fixed: dict[str, str]
    processing_codes: dict[str, str]
    reversal_reason: str
    responses: dict[str, Response]
    no_account_responses: list[str]
    enquiry_responses: EnquiryResponses
    reversal_responses: ReversalResponses

    def response(self, code: str) -> Response:
        """Return what a response code means; one that nobody wrote down means nothing is known."""
        return self.responses.get(code, _NOBODY_KNOWS)

    @property
    def final_codes(self) -> list[str]:
        """The response codes that say what became of a movement."""
        return [code for code, each in self.responses.items() if each.result is not Result.UNKNOWN]

    def is_cancelled(self, code: str) -> bool:
        """Whether a response to a reversal ends it."""
        return code in self.reversal_responses.cancelled

    def contents(self) -> Mapping[str, re.Pattern[str]]:
        """Return for each field what its characters may be."""
        return {
            key: re.compile(_CONTENTS[field["content"]], re.ASCII)
            for key, field in self.fields.items()
        }


_NOBODY_KNOWS = Response(Result.UNKNOWN)


def load(path: Path = OURS) -> Profile:
    """Read a profile. Raises msgspec.ValidationError on one that is not of the form."""
    return msgspec.json.decode(path.read_bytes(), type=Profile)
