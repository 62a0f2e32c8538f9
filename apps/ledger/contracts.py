"""What crosses the ledger's door: orders to transfer in, verdicts out, and the chart's codes."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from apps.common.money import Money


class Chart(StrEnum):
    """Codes of the bank's own accounts; a customer's account has no code, only its id."""

    VAULT_CASH = "VAULT_CASH"
    SWITCH_PAYABLE = "SWITCH_PAYABLE"
    SWITCH_RECEIVABLE = "SWITCH_RECEIVABLE"
    CORE_BANKING = "CORE_BANKING"


class Kind(StrEnum):
    """What a transfer does: moves money at once, or sets it aside and then moves or frees it."""

    SINGLE = "SINGLE"
    PENDING = "PENDING"
    POST = "POST"
    VOID = "VOID"


class Status(StrEnum):
    """
    The verdict on one order.

    Every refusal stands in the order in which the engine looks for it: of two that apply, an
    order gets the upper one.
    """

    EXISTS_WITH_DIFFERENT_KIND = "EXISTS_WITH_DIFFERENT_KIND"
    EXISTS_WITH_DIFFERENT_PENDING_KEY = "EXISTS_WITH_DIFFERENT_PENDING_KEY"
    EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT = "EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT"
    EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT = "EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT"
    EXISTS_WITH_DIFFERENT_AMOUNT = "EXISTS_WITH_DIFFERENT_AMOUNT"
    EXISTS_WITH_DIFFERENT_PURPOSE = "EXISTS_WITH_DIFFERENT_PURPOSE"
    EXISTS = "EXISTS"
    AMOUNT_IS_NOT_POSITIVE = "AMOUNT_IS_NOT_POSITIVE"
    ACCOUNTS_ARE_THE_SAME = "ACCOUNTS_ARE_THE_SAME"
    PENDING_KEY_IS_UNEXPECTED = "PENDING_KEY_IS_UNEXPECTED"
    PENDING_KEY_IS_MISSING = "PENDING_KEY_IS_MISSING"
    DEBIT_ACCOUNT_NOT_FOUND = "DEBIT_ACCOUNT_NOT_FOUND"
    CREDIT_ACCOUNT_NOT_FOUND = "CREDIT_ACCOUNT_NOT_FOUND"
    PENDING_TRANSFER_NOT_FOUND = "PENDING_TRANSFER_NOT_FOUND"
    TRANSFER_IS_NOT_PENDING = "TRANSFER_IS_NOT_PENDING"
    PENDING_TRANSFER_HAS_DIFFERENT_DEBIT_ACCOUNT = "PENDING_TRANSFER_HAS_DIFFERENT_DEBIT_ACCOUNT"
    PENDING_TRANSFER_HAS_DIFFERENT_CREDIT_ACCOUNT = "PENDING_TRANSFER_HAS_DIFFERENT_CREDIT_ACCOUNT"
    PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT = "PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT"
    PENDING_TRANSFER_ALREADY_POSTED = "PENDING_TRANSFER_ALREADY_POSTED"
    PENDING_TRANSFER_ALREADY_VOIDED = "PENDING_TRANSFER_ALREADY_VOIDED"
    TOTAL_IS_TOO_LARGE = "TOTAL_IS_TOO_LARGE"
    EXCEEDS_CREDITS = "EXCEEDS_CREDITS"
    EXCEEDS_DEBITS = "EXCEEDS_DEBITS"
    ACCEPTED = "ACCEPTED"


@dataclass(frozen=True, slots=True)
class TransferOrder:
    """
    Move an amount from the debit account to the credit account, once for ever under `key`.

    POST and VOID name the pending transfer by `pending_key` and repeat its accounts. A POST may
    move less than was set aside, and frees the rest; a VOID repeats the amount.
    """

    key: str
    debit_account: int
    credit_account: int
    amount: Money
    purpose: str
    kind: Kind = Kind.SINGLE
    pending_key: str | None = None


class Verdict(NamedTuple):
    """
    What became of an order.

    An accepted or repeated one carries its transfer and both posted balances after it, as credits
    less debits. A refused one left nothing behind.
    """

    key: str
    status: Status
    transfer_id: UUID | None = None
    debit_balance_after: Money | None = None
    credit_balance_after: Money | None = None

    @property
    def is_posted(self) -> bool:
        """Whether the books hold this transfer, by this order or an equal earlier one."""
        return self.status is Status.ACCEPTED or self.status is Status.EXISTS


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One transfer as the holder of an account sees it: money in is positive."""

    transfer_id: UUID
    key: str
    kind: Kind
    purpose: str
    posted_at: dt.datetime
    amount: Money
    balance_after: Money
