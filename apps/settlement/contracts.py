"""What crosses settlement's doors: rows of the switch's file, and the breaks that are found."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from apps.common.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRow:
    """One row of the switch's raw v3 file: how a payment ended, and between which banks."""

    transaction_id: str
    rrn: str
    response_code: str
    ended_at: dt.datetime
    amount: Money
    initiation_mode: str
    purpose: str
    payer_psp: str
    payer_address: str
    payer_code: str
    payee_psp: str
    payee_address: str
    payee_code: str
    remitter: str
    remitter_account: str
    beneficiary: str
    beneficiary_account: str


class BreakKind(StrEnum):
    """How our books and the switch's file differ."""

    DEBIT_MISSING = "DEBIT_MISSING"
    DEBIT_UNEXPECTED = "DEBIT_UNEXPECTED"
    CREDIT_MISSING = "CREDIT_MISSING"
    CREDIT_UNEXPECTED = "CREDIT_UNEXPECTED"
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    RRN_DIFFERS = "RRN_DIFFERS"
    ACCOUNT_DIFFERS = "ACCOUNT_DIFFERS"
    STATUS_DIFFERS = "STATUS_DIFFERS"
    NOT_IN_FILE = "NOT_IN_FILE"
    LEG_WITHOUT_TRANSFER = "LEG_WITHOUT_TRANSFER"
    TRANSFER_DIFFERS = "TRANSFER_DIFFERS"
    TRANSFER_WITHOUT_LEG = "TRANSFER_WITHOUT_LEG"
    BOOKS_UNBALANCED = "BOOKS_UNBALANCED"
    OPEN_ITEM = "OPEN_ITEM"


@dataclass(frozen=True, slots=True)
class Break:
    """One difference; `exposure` is what it may cost, `detail` says what each side has."""

    kind: BreakKind
    transaction_id: str
    rrn: str
    exposure: Money
    detail: str


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A day held against the switch's file."""

    date: dt.date
    rows: int
    matched: int
    breaks: tuple[Break, ...]
