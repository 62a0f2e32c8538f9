"""What crosses the door of limits."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from apps.common.money import Money


class Rule(StrEnum):
    """
    What a limit counts, each per account; days are Indian calendar days.

    SHARED_QR is the most that a QR code may ask for a person when it came as an image. FIRST_…
    holds for the first 24 hours of an account or of a new device, BANK_… is this bank's own.
    """

    PAYMENT_AMOUNT = "PAYMENT_AMOUNT"
    DAY_AMOUNT = "DAY_AMOUNT"
    DAY_COUNT = "DAY_COUNT"
    SHARED_QR = "SHARED_QR"
    FIRST_PAYMENT_AMOUNT = "FIRST_PAYMENT_AMOUNT"
    FIRST_DAY_AMOUNT = "FIRST_DAY_AMOUNT"
    BANK_PAYMENT_AMOUNT = "BANK_PAYMENT_AMOUNT"
    BANK_DAY_AMOUNT = "BANK_DAY_AMOUNT"


# What an operator can set at most: ten million rupees, and so many payments a day. A slip of
# the keyboard beyond that is refused.
_PAISE_MAX, _PAYMENTS_MAX = 10_000_000_00, 10_000
RULE_MAX = {rule: _PAYMENTS_MAX if rule is Rule.DAY_COUNT else _PAISE_MAX for rule in Rule}


@dataclass(frozen=True, slots=True)
class LimitAsk:
    """
    A debit of an account: `at` decides the rules and the day it counts for.

    `device` is the payer's phone, "" where nobody's phone asks for the debit.
    """

    account_id: int
    amount: Money
    at: dt.datetime
    device: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """The rules of one day; None is no limit."""

    payment_amount_paise: int | None = None
    day_amount_paise: int | None = None
    day_count: int | None = None
    shared_qr_paise: int | None = None
    first_payment_amount_paise: int | None = None
    first_day_amount_paise: int | None = None
    bank_payment_amount_paise: int | None = None
    bank_day_amount_paise: int | None = None


@dataclass(slots=True)
class FirstDay:
    """What an account paid from the device it uses now, in the 24 hours from `began_at` on."""

    device: str
    began_at: dt.datetime | None
    amount_paise: int
