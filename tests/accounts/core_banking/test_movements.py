"""Debits, credits, returns and balances over the line to a real host."""

from apps.accounts.core_banking.base import Result
from apps.common.money import Money
from tests.accounts.core_banking.conftest import OPENING


def test_a_debit_is_posted_by_the_host_and_mirrored_in_our_books(bank):
    order = bank.order()

    (outcome,) = bank.work(order)

    assert (outcome.result, outcome.code) == (Result.POSTED, "00")
    assert outcome.balance_after == Money(OPENING - 2_500)
    assert bank.held() == OPENING - 2_500
