"""
The codes of UPI, read once from `codes.csv`.

A code may stand in several tables with several meanings: XH declines a debit, and it answers that
a mobile number has no account. Source: upi-protocol 4; our own words.
"""

import csv
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

_FILE = Path(__file__).with_name("codes.csv")


class Table(StrEnum):
    """Where a code is legal; `FILE` codes are filled in by the switch."""

    TRANSACTION = "TRANSACTION"
    REVERSAL = "REVERSAL"
    AUTHORISATION = "AUTHORISATION"
    META = "META"
    FILE = "FILE"
    SWITCH = "SWITCH"
    VALIDATION = "VALIDATION"


class Kind(StrEnum):
    """Technical decline, business decline, neither, or that of the code behind the tilde."""

    TECHNICAL = "TD"
    BUSINESS = "BD"
    NONE = "NONE"
    INNER = "INNER"


class Fault(StrEnum):
    """Who can put it right."""

    NONE = "NONE"
    CUSTOMER = "CUSTOMER"
    PAYEE = "PAYEE"
    MERCHANT = "MERCHANT"
    PAYER_BANK = "PAYER_BANK"
    PAYEE_BANK = "PAYEE_BANK"
    PAYER_PSP = "PAYER_PSP"
    PAYEE_PSP = "PAYEE_PSP"
    NETWORK = "NETWORK"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseCode:
    """
    One code in one table.

    `is_retryable` says that the same payment, made again, may well succeed. `explanation` names
    the words for people; `meaning` is for operators. `messages` are those that may carry it.
    """

    table: Table
    code: str
    kind: Kind
    side: str
    fault: Fault
    is_retryable: bool
    explanation: str
    messages: tuple[str, ...]
    meaning: str


# In which order a code is looked up: as one of a payment, or of a request about an account.
PAYMENT = (
    Table.TRANSACTION,
    Table.AUTHORISATION,
    Table.REVERSAL,
    Table.FILE,
    Table.SWITCH,
    Table.META,
    Table.VALIDATION,
)
REQUEST = (Table.META, *(table for table in PAYMENT if table is not Table.META))


@functools.cache
def code_rows() -> Mapping[tuple[Table, str], ResponseCode]:
    """Return every code of every table. It cannot be changed."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        rows = [_row(row) for row in csv.DictReader(file)]
    codes = {(row.table, row.code): row for row in rows}
    assert len(codes) == len(rows), "a code stands once in a table"
    return MappingProxyType(codes)


def inner_code(code: str) -> str:
    """Return the bank's own code of a compound such as `U30~Z9` or `U30~Z9|Z9`, else the code."""
    switch, _, bank = code.partition("~")
    return bank.partition("|")[0] or switch.partition("|")[0]


def deciding_row(code: str, tables: Sequence[Table] = PAYMENT) -> ResponseCode | None:
    """
    Return the row that says what a code or compound means, None for an unknown one.

    The inner code decides; a bank's code that nobody knows leaves the word to the switch's.
    """
    return _find(inner_code(code), tables) or _find(code.partition("~")[0], tables)


def _find(code: str, tables: Sequence[Table]) -> ResponseCode | None:
    rows = code_rows()
    return next((rows[table, code] for table in tables if (table, code) in rows), None)


def _row(row: Mapping[str, str]) -> ResponseCode:
    return ResponseCode(
        table=Table(row["table"]),
        code=row["code"],
        kind=Kind(row["kind"]),
        side=row["side"],
        fault=Fault(row["fault"]),
        is_retryable=row["retryable"] == "yes",
        explanation=row["explanation"],
        messages=tuple(row["messages"].split()),
        meaning=row["meaning"],
    )
