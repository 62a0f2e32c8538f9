"""Say to people what a code means: what happened, and what to do next."""

import csv
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from django.utils.translation.trans_real import parse_accept_lang_header

from apps.upi.response_codes.table import PAYMENT, Fault, Kind, Table, deciding_row, inner_code

_FILE = Path(__file__).with_name("explanations.csv")
_UNKNOWN = "declined"
_DONE = "approved"


class Language(StrEnum):
    """In which we explain."""

    ENGLISH = "en"
    HINDI = "hi"


@dataclass(frozen=True, slots=True)
class Words:
    """One explanation in one language; `reason` is the stable word of the APIs."""

    reason: str
    title: str
    explanation: str
    next_action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """
    What a code means.

    `code` is the one asked about, `inner_code` the one that decides. `kind` is "TD", "BD" or "".
    `meaning` is for operators, the rest for people; nothing in it says who is meant.
    """

    code: str
    inner_code: str
    kind: str
    side: str
    fault: Fault
    is_retryable: bool
    reason: str
    title: str
    explanation: str
    next_action: str
    meaning: str

    def as_document(self) -> dict[str, object]:
        """Return the explanation as the APIs write it."""
        return {
            "code": self.reason,
            "upi_code": self.code,
            "class": self.kind or None,
            "fault": self.fault.lower(),
            "retryable": self.is_retryable,
            "title": self.title,
            "explanation": self.explanation,
            "next_action": self.next_action,
        }

    def for_operators(self) -> str:
        """Return code, class and meaning in one line; what went well needs no words."""
        if self.reason == _DONE:
            return self.code
        return f"{self.code} ({self.kind + ': ' if self.kind else ''}{self.meaning})"


def explain(
    code: str,
    language: Language = Language.ENGLISH,
    *,
    tables: Sequence[Table] = PAYMENT,
) -> Explanation:
    """
    Explain a code or compound; the class is that of the inner code.

    An unknown code gets words that promise nothing.
    """
    row = deciding_row(code, tables)
    words = words_of(row.explanation if row else _UNKNOWN, language)
    is_classed = row is not None and row.kind in {Kind.TECHNICAL, Kind.BUSINESS}
    return Explanation(
        code=code,
        inner_code=inner_code(code),
        kind=row.kind.value if row and is_classed else "",
        side=row.side if row else "",
        fault=row.fault if row else Fault.NETWORK,
        is_retryable=row.is_retryable if row else False,
        reason=words.reason,
        title=words.title,
        explanation=words.explanation,
        next_action=words.next_action,
        meaning=row.meaning if row else "Not a code that we know",
    )


def language_of(accept_language: str) -> Language:
    """Return which of our languages a client prefers (RFC 9110, 12.5.4); English if neither."""
    for tag, _quality in parse_accept_lang_header(accept_language):
        for language in Language:
            if tag.partition("-")[0] == language:
                return language
    return Language.ENGLISH


def words_of(key: str, language: Language) -> Words:
    """Return the words under a key of `codes.csv`."""
    return _words()[key, language]


@functools.cache
def _words() -> Mapping[tuple[str, Language], Words]:
    with _FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return MappingProxyType(
        {
            (row["key"], language): Words(
                reason=row["reason"],
                title=row[f"title_{language}"],
                explanation=row[f"explanation_{language}"],
                next_action=row[f"next_action_{language}"],
            )
            for row in rows
            for language in Language
        }
    )
