"""Core banking by the embedded books: checks, postings and what a repeat is told."""

import pytest
from django.db import transaction

from apps.accounts.core_banking.base import (
    CoreBanking,
    Order,
    OrderKind,
    Result,
    TransferClashError,
    core_banking,
)
from apps.accounts.core_banking.ledger import LedgerCoreBanking
from apps.accounts.errors import AccountNotFoundError
from apps.accounts.models import BankAccount
from apps.common import ids
from apps.common.money import ZERO, Money
from apps.ledger import selectors as ledger
from apps.ledger.contracts import Chart
from apps.ledger.models import LedgerAccount, Transfer
from tests.accounts.issuer import NUMBER

OTHER = "001234567891"


@pytest.fixture
def accounts(issuer):
    issuer.open(paise=1000)
    issuer.open(number=OTHER, mobile="919800000002")


def order(kind, key="k", *, number=NUMBER, paise=300):
    return Order(
        leg_id=ids.uuid7(),
        transfer_key=key,
        kind=kind,
        account_number=number,
        amount=Money(paise),
        rrn="532610000123",
        txn_id="EXB0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    )


def work(*orders):
    return core_banking().work(admit=lambda: orders, still_ours=set, record=list)


def results(*orders):
    return [(outcome.result, outcome.code) for outcome in work(*orders)]


def our(code):
    return ledger.account_by_code(code).balance


def test_the_setting_names_the_adapter():
    adapter: CoreBanking = core_banking()

    assert isinstance(adapter, LedgerCoreBanking)


def test_a_debit_is_owed_to_the_switch(accounts):
    (outcome,) = work(order(OrderKind.DEBIT))

    assert (outcome.result, outcome.code) == (Result.POSTED, "00")
    assert outcome.balance_after == Money(700)
    assert Transfer.objects.get(pk=outcome.transfer_id).purpose == "UPI_DEBIT"
    assert our(Chart.SWITCH_PAYABLE) == Money(300)
    assert core_banking().balance(NUMBER) == Money(700)


def test_a_credit_is_due_from_the_switch(accounts):
    (outcome,) = work(order(OrderKind.CREDIT, number=OTHER))

    assert (outcome.result, outcome.balance_after) == (Result.POSTED, Money(300))
    assert our(Chart.SWITCH_RECEIVABLE) == Money(-300)
    assert ledger.books_sum() == ZERO


def test_a_reversal_is_the_opposite_transfer(accounts):
    work(order(OrderKind.DEBIT, "debit"))

    (outcome,) = work(order(OrderKind.REVERSAL, "reversal"))

    assert (outcome.result, outcome.balance_after) == (Result.POSTED, Money(1000))
    assert our(Chart.SWITCH_PAYABLE) == ZERO
    assert Transfer.objects.filter(key__in=["debit", "reversal"]).count() == 2


@pytest.mark.parametrize(
    ("state", "debit", "credit"),
    [
        ("CLOSED",  "XH", "XI"),
        ("DORMANT", "ZX", "ZY"),
        ("FROZEN",  "YE", "YF"),
    ],
)  # fmt: skip
def test_the_account_is_looked_at_before_the_funds(accounts, state, debit, credit):
    work(order(OrderKind.DEBIT, "before"))
    BankAccount.objects.update(state=state)

    assert results(
        order(OrderKind.DEBIT, "d", paise=10**9), order(OrderKind.CREDIT, "c")
    ) == [(Result.DECLINED, debit), (Result.DECLINED, credit)]  # fmt: skip
    assert results(order(OrderKind.REVERSAL, "r")) == [(Result.POSTED, "00")]


def test_an_unknown_account_is_declined(accounts):
    assert results(
        order(OrderKind.DEBIT, "d", number="009999999999"),
        order(OrderKind.CREDIT, "c", number="009999999999"),
    ) == [(Result.DECLINED, "XH"), (Result.DECLINED, "XI")]


def test_an_empty_account_is_declined_and_nothing_is_left(accounts):
    (outcome,) = work(order(OrderKind.DEBIT, paise=1001))

    assert (outcome.result, outcome.code, outcome.transfer_id) == (Result.DECLINED, "Z9", None)
    assert core_banking().balance(NUMBER) == Money(1000)
    assert ledger.transfer_by_key("k") is None


def test_a_repeat_is_posted_once_and_told_so_twice(accounts):
    once = order(OrderKind.DEBIT)

    (first,) = work(once)
    (again,) = work(once)

    assert again.result is Result.POSTED
    assert again.transfer_id == first.transfer_id
    assert core_banking().balance(NUMBER) == Money(700)


def test_a_key_with_another_amount_is_a_bug_not_an_answer(accounts):
    work(order(OrderKind.DEBIT))

    with pytest.raises(TransferClashError):
        work(order(OrderKind.DEBIT, paise=301))

    assert core_banking().balance(NUMBER) == Money(700)


def test_a_credit_of_the_batch_pays_for_a_later_debit_of_it(accounts):
    assert results(
        order(OrderKind.DEBIT, "too early", number=OTHER),
        order(OrderKind.CREDIT, "in", number=OTHER),
        order(OrderKind.DEBIT, "out", number=OTHER),
    ) == [(Result.DECLINED, "Z9"), (Result.POSTED, "00"), (Result.POSTED, "00")]


def test_nothing_is_posted_when_the_record_fails(accounts):
    def fail(_outcomes):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        core_banking().work(admit=lambda: [order(OrderKind.DEBIT)], still_ours=set, record=fail)

    assert core_banking().balance(NUMBER) == Money(1000)
    assert ledger.transfer_by_key("k") is None


def test_admit_and_record_share_one_transaction(accounts):
    seen = []

    def admit():
        seen.append(transaction.get_connection().in_atomic_block)
        return []

    assert core_banking().work(admit=admit, still_ours=set, record=list) == []
    assert seen == [True]


def test_an_unknown_account_has_no_balance(accounts):
    with pytest.raises(AccountNotFoundError):
        core_banking().balance("009999999999")


@pytest.mark.parametrize(
    ("kind", "pool", "bound", "code"),
    [
        (OrderKind.CREDIT, Chart.SWITCH_RECEIVABLE, "debits_must_not_exceed_credits", "LC"),
        (OrderKind.DEBIT,  Chart.SWITCH_PAYABLE,    "credits_must_not_exceed_debits", "LD"),
    ],
)  # fmt: skip
def test_a_pool_account_of_the_bank_that_may_not_move_is_a_refusal(issuer, kind, pool, bound, code):
    issuer.open(paise=1000)
    LedgerAccount.objects.filter(code=pool).update(**{bound: True})

    (outcome,) = work(order(kind))

    assert (outcome.result, outcome.code) == (Result.DECLINED, code)
    assert our(pool) == Money(0)


def test_the_books_leave_nothing_to_enquire_or_to_cancel(issuer):
    assert core_banking().enquire(admit=list, still_ours=set, record=list) == []
    assert core_banking().cancel(admit=list, still_ours=set, record=list) == []
    assert core_banking().is_available()
