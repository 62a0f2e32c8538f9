"""What crosses settlement's doors: rows of others' files, and the breaks that are found."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from apps.accounts.states import CallKind
from apps.common import clock
from apps.common.money import Money
from apps.payments.states import State

_DAY = dt.timedelta(days=1)


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


class LineKind(StrEnum):
    """What the core-banking host did with an account: moved money, or took that back."""

    POSTED = "POSTED"
    UNDONE = "UNDONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLine:
    """
    One line of the core-banking host's day file.

    `terminal`, `stan` and `sent_at` are those of the call that asked, also where it was undone.
    """

    kind: LineKind
    business_date: dt.date
    terminal: str
    stan: int
    sent_at: dt.datetime
    rrn: str
    processing_code: str
    upi_id: str
    account: str
    amount: Money
    sign: str
    at: dt.datetime

    @property
    def key(self) -> "CallKey":
        """What names the call."""
        return (self.terminal, self.stan, self.sent_at)


CallKey = tuple[str, int, dt.datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class OurCall:
    """
    A movement that the host was asked for, with its leg.

    `settlement_date` is the business day that the host told, `last_sent_at` when it left us for the
    last time, `cancelled_on` the day on which the host acknowledged its cancellation.
    """

    id: UUID
    leg_id: UUID
    transaction_id: str
    transfer_key: str
    kind: CallKind
    state: State
    terminal: str
    stan: int
    transmitted_at: dt.datetime
    last_sent_at: dt.datetime
    business_date: dt.date
    settlement_date: dt.date | None
    cancelled_on: dt.date | None
    rrn: str
    amount: Money
    account: str

    @property
    def key(self) -> CallKey:
        """What names the call in the host's file."""
        return (self.terminal, self.stan, self.transmitted_at)

    @property
    def days(self) -> list[dt.date]:
        """The business days to which the host may have put it: ours, and each next one."""
        count = (clock.business_date(self.last_sent_at) - self.business_date).days + 1
        return [self.business_date + _DAY * number for number in range(count + 1)]


class BreakKind(StrEnum):
    """How our books and another's file differ."""

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
    MOVEMENT_DIFFERS = "MOVEMENT_DIFFERS"
    ONLY_AT_HOST = "ONLY_AT_HOST"
    ONLY_WITH_US = "ONLY_WITH_US"
    STANDS_AT_HOST = "STANDS_AT_HOST"
    UNDONE_AT_HOST = "UNDONE_AT_HOST"
    TWICE_AT_HOST = "TWICE_AT_HOST"


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
    """A day held against the switch's file or the host's."""

    date: dt.date
    rows: int
    matched: int
    breaks: tuple[Break, ...]
