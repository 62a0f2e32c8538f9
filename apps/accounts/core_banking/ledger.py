"""Core banking by the embedded books: admit, post and record are one transaction."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from django.db import transaction

from apps.accounts import checking, selectors
from apps.accounts.core_banking.base import (
    Order,
    OrderKind,
    Outcome,
    Result,
    StillOurs,
    TransferClashError,
)
from apps.accounts.models import BankAccount
from apps.common import clock
from apps.common.faults import fault_point
from apps.common.money import Money
from apps.ledger.contracts import Chart, Status, TransferOrder, Verdict
from apps.ledger.selectors import account_ids_by_code, lock_books
from apps.ledger.services.posting import post_transfers

T = TypeVar("T")

# What an order is answered when the books say no, by the side that answers (upi-protocol 4.2).
_ACCOUNT_MISSING = {OrderKind.DEBIT: "XH", OrderKind.CREDIT: "XI"}
# The customer's account lacks the money, or the bank's own account of the switch may not move.
_REFUSALS = {
    (OrderKind.DEBIT, Status.EXCEEDS_CREDITS): checking.NO_FUNDS,
    (OrderKind.DEBIT, Status.EXCEEDS_DEBITS): checking.POOL_NOT_CREDITED,
    (OrderKind.CREDIT, Status.EXCEEDS_CREDITS): checking.POOL_NOT_DEBITED,
}


class LedgerCoreBanking:
    """The customer's money is in our own books. There is no lease and no unknown outcome."""

    posts_at_once = True
    cancels_for_good = True

    def work(
        self,
        *,
        admit: Callable[[], Sequence[Order]],
        still_ours: StillOurs,
        record: Callable[[Sequence[Outcome]], T],
    ) -> T:
        """Do all of it in one transaction, behind the lock of the books: no claim can end in it."""
        with transaction.atomic(durable=True):
            lock_books()
            outcomes = _post(admit())
            fault_point("core_banking.posted")
            result = record(outcomes)
            fault_point("core_banking.recorded")
        fault_point("core_banking.committed")
        return result

    def enquire(
        self,
        *,
        admit: Callable[[], Sequence[Order]],
        still_ours: StillOurs,
        record: Callable[[Sequence[Outcome]], T],
    ) -> T:
        """Do nothing but what admit and record do: no outcome of the books is unknown."""
        return _without_work(admit, record)

    def cancel(
        self,
        *,
        admit: Callable[[], Sequence[Order]],
        still_ours: StillOurs,
        record: Callable[[Sequence[Outcome]], T],
    ) -> T:
        """Do nothing but what admit and record do: no order waits for the books' word."""
        return _without_work(admit, record)

    def is_available(self) -> bool:
        """Say yes: the books are in the database of whoever asks."""
        return True

    def balance(self, account_number: str) -> Money:
        """Return what is posted less what is set aside."""
        return selectors.available_balance(account_number)


def _without_work(
    admit: Callable[[], Sequence[Order]], record: Callable[[Sequence[Outcome]], T]
) -> T:
    with transaction.atomic(durable=True):
        orders = admit()
        assert not orders, "the books leave no order unknown"
        return record([])


def _post(orders: Sequence[Order]) -> list[Outcome]:
    accounts = selectors.accounts_by_number({order.account_number for order in orders})
    declined: dict[int, str] = {}
    transfers: list[TransferOrder] = []
    chart = _chart() if orders else {}
    for place, order in enumerate(orders):
        code = _decline_account(order.kind, accounts.get(order.account_number))
        if code:
            declined[place] = code
        else:
            account = accounts[order.account_number]
            transfers.append(_transfer(order, account.ledger_account_id, chart))
    verdicts = iter(post_transfers(transfers))
    posted_at = clock.now()
    outcomes = [
        Outcome(order, Result.DECLINED, declined[place])
        if place in declined
        else _outcome(order, next(verdicts), posted_at)
        for place, order in enumerate(orders)
    ]
    return _say_what_is_missing(outcomes, accounts)


def _say_what_is_missing(
    outcomes: Sequence[Outcome], accounts: Mapping[str, BankAccount]
) -> list[Outcome]:
    """Tell debits that only blocked money could have paid from those that nothing could."""
    poor = [outcome for outcome in outcomes if outcome.code == checking.NO_FUNDS]
    codes = checking.funds_refusals(
        [(accounts[each.order.account_number], each.order.amount) for each in poor]
    )
    said = {each.order.leg_id: code for each, code in zip(poor, codes, strict=True)}
    return [
        replace(outcome, code=said.get(outcome.order.leg_id) or outcome.code)
        if outcome.code == checking.NO_FUNDS
        else outcome
        for outcome in outcomes
    ]


def _chart() -> Mapping[OrderKind, int]:
    ids = account_ids_by_code([Chart.SWITCH_PAYABLE, Chart.SWITCH_RECEIVABLE])
    return {
        OrderKind.DEBIT: ids[Chart.SWITCH_PAYABLE],
        OrderKind.REVERSAL: ids[Chart.SWITCH_PAYABLE],
        OrderKind.CREDIT: ids[Chart.SWITCH_RECEIVABLE],
    }


def _decline_account(kind: OrderKind, account: BankAccount | None) -> str:
    if kind is OrderKind.REVERSAL:
        # Money that was taken goes back where it came from, whatever became of the account.
        if account is None:
            raise TransferClashError("a reversal names an account that was never debited")
        return ""
    if account is None:
        return _ACCOUNT_MISSING[kind]
    if kind is OrderKind.DEBIT:
        return selectors.remitter_refusal(account)
    return selectors.beneficiary_refusal(account)


def _transfer(
    order: Order, ledger_account_id: int, chart: Mapping[OrderKind, int]
) -> TransferOrder:
    ours = chart[order.kind]
    is_debit = order.kind is OrderKind.DEBIT
    return TransferOrder(
        key=order.transfer_key,
        debit_account=ledger_account_id if is_debit else ours,
        credit_account=ours if is_debit else ledger_account_id,
        amount=order.amount,
        purpose=f"UPI_{order.kind}",
    )


def _outcome(order: Order, verdict: Verdict, posted_at: dt.datetime) -> Outcome:
    if verdict.is_posted:
        is_debit = order.kind is OrderKind.DEBIT
        return Outcome(
            order,
            Result.POSTED,
            "00",
            verdict.transfer_id,
            verdict.debit_balance_after if is_debit else verdict.credit_balance_after,
            posted_at,
        )
    refusal = _REFUSALS.get((order.kind, verdict.status))
    if refusal is not None:
        return Outcome(order, Result.DECLINED, refusal)
    raise TransferClashError(f"{order.transfer_key}: {verdict.status}")
