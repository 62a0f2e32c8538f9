"""The rules of the books, without a database: accounts and orders in, one verdict each out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from apps.common.money import Money
from apps.ledger.contracts import Kind, Status, TransferOrder, Verdict

# A BIGINT column holds no more paise than this.
PAISE_MAX = 2**63 - 1


@dataclass(slots=True)
class Account:
    """A ledger account's four totals in paise, and which of its sides the other one bounds."""

    id: int
    debits_posted: int = 0
    credits_posted: int = 0
    debits_pending: int = 0
    credits_pending: int = 0
    debits_must_not_exceed_credits: bool = False
    credits_must_not_exceed_debits: bool = False

    def copy(self) -> "Account":
        """Return an account that may be changed without changing this one."""
        return Account(
            self.id,
            self.debits_posted,
            self.credits_posted,
            self.debits_pending,
            self.credits_pending,
            self.debits_must_not_exceed_credits,
            self.credits_must_not_exceed_debits,
        )

    @property
    def balance(self) -> int:
        """Posted credits less posted debits: a customer's money is positive."""
        return self.credits_posted - self.debits_posted


class StoredTransfer(NamedTuple):
    """A transfer that the books hold already: what it was ordered as, and what became of it."""

    order: TransferOrder
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Books:
    """
    The part of the books that a batch of orders touches.

    `transfers` holds every stored transfer whose key an order names, as its own or as pending;
    `resolutions` says for a pending transfer's key whether it was posted or voided.
    """

    accounts: Mapping[int, Account]
    transfers: Mapping[str, StoredTransfer]
    resolutions: Mapping[str, Kind]


@dataclass(frozen=True, slots=True)
class Judgement:
    """One verdict an order, in order; the accounts that moved, as they are after the batch."""

    verdicts: Sequence[Verdict]
    accounts_after: Mapping[int, Account]


def judge(books: Books, orders: Sequence[TransferOrder], transfer_ids: Sequence[UUID]) -> Judgement:
    """
    Decide a batch, each order on the books as the orders before it left them.

    An order accepted early may fund, repeat or resolve a later one. The books are not changed.
    """
    bench = _Bench(books)
    verdicts = [
        bench.judge(order, transfer_id)
        for order, transfer_id in zip(orders, transfer_ids, strict=True)
    ]
    return Judgement(verdicts, bench.moved)


class _Bench:
    """The books in the middle of a batch."""

    def __init__(self, books: Books) -> None:
        self._accounts = books.accounts
        self._transfers = dict(books.transfers)
        self._resolutions = dict(books.resolutions)
        self.moved: dict[int, Account] = {}

    def judge(self, order: TransferOrder, transfer_id: UUID) -> Verdict:
        stored = self._transfers.get(order.key)
        if stored is not None:
            return _repeat(order, stored)
        debit, credit = self._account(order.debit_account), self._account(order.credit_account)
        refusal = _refuse_form(order) or _refuse_accounts(debit, credit)
        if refusal is not None:
            return Verdict(order.key, refusal)
        assert debit is not None
        assert credit is not None
        if order.pending_key is not None:
            refusal = self._refuse_resolution(order)
        else:
            refusal = _refuse_funds(debit, credit, order.amount.paise)
        if refusal is not None:
            return Verdict(order.key, refusal)
        return self._accept(order, transfer_id, self._movable(debit), self._movable(credit))

    def _account(self, account_id: int) -> Account | None:
        return self.moved.get(account_id) or self._accounts.get(account_id)

    def _refuse_resolution(self, order: TransferOrder) -> Status | None:
        assert order.pending_key is not None
        pending = self._transfers.get(order.pending_key)
        if pending is None:
            return Status.PENDING_TRANSFER_NOT_FOUND
        refusal = _refuse_pending(order, pending.order)
        if refusal is not None:
            return refusal
        resolution = self._resolutions.get(order.pending_key)
        if resolution is None:
            return None
        if resolution is Kind.POST:
            return Status.PENDING_TRANSFER_ALREADY_POSTED
        return Status.PENDING_TRANSFER_ALREADY_VOIDED

    def _accept(
        self, order: TransferOrder, transfer_id: UUID, debit: Account, credit: Account
    ) -> Verdict:
        paise = order.amount.paise
        if order.kind is Kind.PENDING:
            debit.debits_pending += paise
            credit.credits_pending += paise
        elif order.pending_key is not None:
            set_aside = self._transfers[order.pending_key].order.amount.paise
            debit.debits_pending -= set_aside
            credit.credits_pending -= set_aside
            self._resolutions[order.pending_key] = order.kind
        if order.kind is Kind.SINGLE or order.kind is Kind.POST:
            debit.debits_posted += paise
            credit.credits_posted += paise
        verdict = Verdict(
            order.key, Status.ACCEPTED, transfer_id, Money(debit.balance), Money(credit.balance)
        )
        self._transfers[order.key] = StoredTransfer(order, verdict)
        return verdict

    def _movable(self, account: Account) -> Account:
        """Return the batch's own copy of an account."""
        if account.id in self.moved:
            return account
        copy = self.moved[account.id] = account.copy()
        return copy


def _repeat(order: TransferOrder, stored: StoredTransfer) -> Verdict:
    """Compare field by field with what the key stands for already."""
    was = stored.order
    if order == was:
        done = stored.verdict
        return Verdict(
            order.key,
            Status.EXISTS,
            done.transfer_id,
            done.debit_balance_after,
            done.credit_balance_after,
        )
    differences = (
        (order.kind is not was.kind, Status.EXISTS_WITH_DIFFERENT_KIND),
        (order.pending_key != was.pending_key, Status.EXISTS_WITH_DIFFERENT_PENDING_KEY),
        (order.debit_account != was.debit_account, Status.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT),
        (order.credit_account != was.credit_account, Status.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT),
        (order.amount != was.amount, Status.EXISTS_WITH_DIFFERENT_AMOUNT),
        (order.purpose != was.purpose, Status.EXISTS_WITH_DIFFERENT_PURPOSE),
    )
    return Verdict(order.key, next(status for differs, status in differences if differs))


def _refuse_form(order: TransferOrder) -> Status | None:
    if order.amount.paise <= 0:
        return Status.AMOUNT_IS_NOT_POSITIVE
    if order.debit_account == order.credit_account:
        return Status.ACCOUNTS_ARE_THE_SAME
    resolves = order.kind is Kind.POST or order.kind is Kind.VOID
    if order.pending_key is not None and not resolves:
        return Status.PENDING_KEY_IS_UNEXPECTED
    if order.pending_key is None and resolves:
        return Status.PENDING_KEY_IS_MISSING
    return None


def _refuse_accounts(debit: Account | None, credit: Account | None) -> Status | None:
    if debit is None:
        return Status.DEBIT_ACCOUNT_NOT_FOUND
    if credit is None:
        return Status.CREDIT_ACCOUNT_NOT_FOUND
    return None


def _refuse_pending(order: TransferOrder, pending: TransferOrder) -> Status | None:
    if pending.kind is not Kind.PENDING:
        return Status.TRANSFER_IS_NOT_PENDING
    if order.debit_account != pending.debit_account:
        return Status.PENDING_TRANSFER_HAS_DIFFERENT_DEBIT_ACCOUNT
    if order.credit_account != pending.credit_account:
        return Status.PENDING_TRANSFER_HAS_DIFFERENT_CREDIT_ACCOUNT
    is_partial_post = order.kind is Kind.POST and order.amount < pending.amount
    if order.amount != pending.amount and not is_partial_post:
        return Status.PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT
    return None


def _refuse_funds(debit: Account, credit: Account, paise: int) -> Status | None:
    debits = debit.debits_posted + debit.debits_pending + paise
    credits_ = credit.credits_posted + credit.credits_pending + paise
    if debits > PAISE_MAX or credits_ > PAISE_MAX:
        return Status.TOTAL_IS_TOO_LARGE
    # Money on its way in does not pay for anything: only posted totals bound the other side.
    if debit.debits_must_not_exceed_credits and debits > debit.credits_posted:
        return Status.EXCEEDS_CREDITS
    if credit.credits_must_not_exceed_debits and credits_ > credit.debits_posted:
        return Status.EXCEEDS_DEBITS
    return None
