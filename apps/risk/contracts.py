"""What crosses the door of limits."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from apps.common.money import Money


class Rule(StrEnum):
    """
    What a limit counts, each per account; days are Indian calendar days.

    SHARED_QR is the most that a QR code may ask for a person when it came as an image.
    """

    PAYMENT_AMOUNT = "PAYMENT_AMOUNT"
    DAY_AMOUNT = "DAY_AMOUNT"
    DAY_COUNT = "DAY_COUNT"
    SHARED_QR = "SHARED_QR"


@dataclass(frozen=True, slots=True)
class LimitAsk:
    """A debit of an account: `at` decides the rules and the day it counts for."""

    account_id: int
    amount: Money
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Limits:
    """The rules of one day; None is no limit."""

    payment_amount_paise: int | None = None
    day_amount_paise: int | None = None
    day_count: int | None = None
    shared_qr_paise: int | None = None
