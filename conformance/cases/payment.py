"""A payment of our customer, the faults it meets, and how it must end: one row of a table."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.case import AMOUNT_PAISE, Case, Role, Stage
from conformance.declines import expect_code, named

# The journal's entries by how far a payment came.
PAID = ("CREDIT", "DEBIT")
REVERSED = ("DEBIT", "DEBIT_REVERSAL")
NOTHING: tuple[str, ...] = ()
OURS = "ours"


@dataclass(frozen=True, slots=True)
class Order:
    """A fault that the control door is asked for, on a message of this payment."""

    action: str
    direction: str
    api: str
    type: str = ""
    sub_type: str = ""
    count: int = 1
    seconds: float = 0
    code: str = ""

    def members(self) -> dict[str, Any]:
        """Return what the door needs beyond action, direction and transaction."""
        named = {"api": self.api, "type": self.type, "sub_type": self.sub_type}
        more: dict[str, Any] = {"count": self.count, "seconds": self.seconds}
        if self.code:
            more["code"] = self.code
        return named | more


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """
    How a payment must end.

    `status` and `code` are the app's words, `switch` the switch's (empty: it never saw it),
    `payer` and `payee` say how often the amount moved (a payee of None is not looked at).
    """

    status: str
    switch: str
    code: str = ""
    payer: int = 0
    payee: int | None = 0
    entries: tuple[str, ...] = NOTHING

    def told(self) -> str:
        """Return what the app shows, for a case's text."""
        return f"the app shows {self.status}" + (f" with {named(self.code)}" if self.code else "")


SUCCEEDED = Ending(status="succeeded", switch="SUCCESS", payer=-1, payee=1, entries=PAID)
DEEMED = Ending(status="pending", switch="DEEMED", payer=-1, payee=None, entries=PAID)
UNSEEN = Ending(status="pending", switch="")


def failed(code: str, *, entries: tuple[str, ...] = NOTHING) -> Ending:
    """Return the ending of a payment that failed with nobody the poorer."""
    return Ending(status="failed", switch="FAILURE", code=code, entries=entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of a table of payments."""

    role: Role
    title: str
    given: str
    then: str
    source: str
    ending: Ending
    payee: str = OURS
    orders: Sequence[Order] = field(default=())
    waits_seconds: float = 0
    is_clean: bool = True

    def case(self) -> Case:
        """Return the case that plays this row."""
        return Case(
            id="",
            role=self.role,
            title=self.title,
            given=self.given,
            when="our customer pays",
            then=self.then,
            source=self.source,
            play=functools.partial(play, row=self),
            waits_seconds=self.waits_seconds,
            is_clean=self.is_clean,
        )


def play(stage: Stage, row: Row) -> None:
    """Pay, let the faults happen, and hold app, switch, journal and balances to the row."""
    payee = stage.payee.vpa if row.payee == OURS else row.payee
    for person in _people(stage, row):
        stage.balance_before(person)
    order = stage.payer.order(payee, AMOUNT_PAISE)
    transaction_id = order["txn_id"]
    order_faults(stage, transaction_id, *row.orders)
    stage.pay(order)
    ended = stage.control.payment(transaction_id) if row.ending.switch else None
    shown = stage.shown(transaction_id, wanted=row.ending.status, waits_seconds=row.waits_seconds)
    stage.expect("the app shows", found=shown["status"], wanted=row.ending.status)
    expect_code(stage, shown, row.ending.code)
    _expect_switch(stage, row.ending, transaction_id, ended)
    _expect_balances(stage, row)


def order_faults(stage: Stage, transaction_id: str, *orders: Order) -> None:
    """Let messages of a transaction meet faults."""
    for each in orders:
        stage.control.fault(each.action, each.direction, transaction_id, **each.members())


def _people(stage: Stage, row: Row) -> list[Any]:
    looks_at_payee = row.payee == OURS and row.ending.payee is not None
    return [stage.payer, stage.payee] if looks_at_payee else [stage.payer]


def _expect_switch(
    stage: Stage, ending: Ending, transaction_id: str, ended: dict[str, Any] | None
) -> None:
    if ended is None:
        stage.expect("the switch has seen", found="", wanted=ending.switch)
        return
    stage.expect("the switch says", found=ended["status"], wanted=ending.switch)
    stage.expect_entries(transaction_id, ending.entries)


def _expect_balances(stage: Stage, row: Row) -> None:
    people = _people(stage, row)
    moves = {stage.payer.vpa: row.ending.payer * AMOUNT_PAISE}
    if row.payee == OURS and row.ending.payee is not None:
        moves[stage.payee.vpa] = row.ending.payee * AMOUNT_PAISE
    stage.expect_moves(moves, *people)
    if row.payee == OURS and row.ending.payee is None:
        stage.forget_balance(stage.payee)
