"""The only door to core banking: what payments orders, and what became of it."""

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Protocol, TypeVar
from uuid import UUID

from django.conf import settings

from apps.common import backends
from apps.common.money import Money

T = TypeVar("T")


class TransferClashError(Exception):
    """
    A transfer key stands for another transfer, or an order could never be one: a bug.

    It fails its leg alone, which is parked with an owner; answering it would hide the clash.
    """


class OrderKind(StrEnum):
    """Take from an account, give to it, or give back what was taken."""

    DEBIT = "DEBIT"
    CREDIT = "CREDIT"
    REVERSAL = "REVERSAL"


# upi-protocol 4.2: core banking is offline, on the side that answers.
OFFLINE = {OrderKind.DEBIT: "XY", OrderKind.CREDIT: "Y1"}


class Result(StrEnum):
    """Done, not done, or nobody knows."""

    POSTED = "POSTED"
    DECLINED = "DECLINED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Order:
    """One leg's movement of money; `transfer_key` makes it happen once for ever."""

    leg_id: UUID
    transfer_key: str
    kind: OrderKind
    account_number: str = field(repr=False)
    amount: Money
    rrn: str
    txn_id: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What became of an order. `code` is "00" when POSTED, else the UPI code to decline with.

    `is_found` is what an enquiry was told: the order is known or not; None when nobody answered.
    Without `was_asked` nothing was sent this time, for want of a link or of allowance: no try.
    """

    order: Order
    result: Result
    code: str
    transfer_id: UUID | None = None
    balance_after: Money | None = field(default=None, repr=False)
    posted_at: dt.datetime | None = None
    is_found: bool | None = None
    was_asked: bool = True


# Locks these legs, and returns those that are still under the claim of whoever asked.
StillOurs = Callable[[Sequence[UUID]], Collection[UUID]]


class CoreBanking(Protocol):
    """
    A system that keeps customers' money.

    `posts_at_once` says that admit, post and record are one transaction: nobody ever sees POSTING.
    `cancels_for_good` says that what was cancelled is refused when it comes after all: without it
    nobody can be told to cancel, for CANCELLING never becomes POSTED.
    """

    posts_at_once: bool
    cancels_for_good: bool

    def work(
        self,
        *,
        admit: Callable[[], Sequence[Order]],
        still_ours: StillOurs,
        record: Callable[[Sequence[Outcome]], T],
    ) -> T:
        """
        Post what `admit` returns, and give its outcomes to `record`.

        Called with no transaction open. `admit` claims due legs, locks their limit rows and
        returns the orders still ours and allowed: nothing else is ever posted. `record` writes leg
        states, history, answers and outbox rows. Each runs in a transaction: one and the same, or
        two with the call between them, as the system needs. A silent system is Result.UNKNOWN.

        Where record has a transaction of its own, `still_ours` begins it: a claim may have ended
        during the call, and what its leg came to is then another's to say. Only the outcomes of
        those that it returns reach our books and `record`.
        """
        ...

    def enquire(
        self,
        *,
        admit: Callable[[], Sequence[Order]],
        still_ours: StillOurs,
        record: Callable[[Sequence[Outcome]], T],
    ) -> T:
        """
        Ask what became of orders whose outcome is unknown; nothing new is posted.

        `admit` returns orders of UNKNOWN legs. POSTED and DECLINED are proved, by a late answer or
        by this one; UNKNOWN is silence or "not found", which proves nothing (`is_found`).
        """
        ...

    def cancel(
        self,
        *,
        admit: Callable[[], Sequence[Order]],
        still_ours: StillOurs,
        record: Callable[[Sequence[Outcome]], T],
    ) -> T:
        """
        Have orders undone, or refused for ever if they come late.

        `admit` returns orders of CANCELLING legs, a state that was committed before. DECLINED is
        the system's word that the order is not posted and never will be; UNKNOWN: not yet.
        """
        ...

    def is_available(self) -> bool:
        """Tell whether new orders have a chance to be answered. Cheap enough for every request."""
        ...

    def balance(self, account_number: str) -> Money:
        """
        Return what the customer may be told.

        Raises AccountNotFoundError, CoreBankingUnavailableError.
        """
        ...


@cache
def core_banking() -> CoreBanking:
    """Return the adapter that the setting CORE_BANKING names."""
    adapter: CoreBanking = backends.build(settings.CORE_BANKING)
    return adapter
