"""Several posters at once, on real connections: nothing is lost, doubled, overdrawn or stuck."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from apps.common.money import ZERO, Money
from apps.ledger import engine, selectors
from apps.ledger.contracts import Chart, Status, TransferOrder
from apps.ledger.errors import BooksTouchedError
from apps.ledger.models import LedgerAccount, Transfer
from apps.ledger.services.open_ledger_account import open_ledger_account
from apps.ledger.services.posting import post_transfers

WORKERS = 6


def order(key, debit, credit, paise):
    return TransferOrder(key, debit, credit, Money(paise), "TEST")


def post(*orders):
    with transaction.atomic():
        return post_transfers(orders)


def at_once(work):
    start = threading.Barrier(WORKERS)

    def run(number):
        start.wait()
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as threads:
        return list(threads.map(run, range(WORKERS)))


@pytest.fixture
def accounts(committed):
    """Four customers with 1,000 paise each."""
    vault = selectors.account_id_by_code(Chart.VAULT_CASH)
    opened = []
    for number in range(4):
        account = open_ledger_account(name="customer", debits_must_not_exceed_credits=True)
        post(order(f"open-{number}", vault, account.pk, 1000))
        opened.append(account.pk)
    return opened


def test_one_key_at_once_is_one_transfer(accounts):
    same = order("k", accounts[0], accounts[1], 300)

    statuses = at_once(lambda _: post(same)[0].status)

    assert sorted(statuses) == [Status.ACCEPTED] + [Status.EXISTS] * (WORKERS - 1)
    assert selectors.balance(accounts[0]) == Money(700)


def test_one_key_for_different_accounts_is_one_transfer(accounts):
    def work(number):
        return post(order("k", accounts[number % 4], accounts[(number + 1) % 4], 300))[0].status

    statuses = at_once(work)

    assert statuses.count(Status.ACCEPTED) == 1
    assert Transfer.objects.filter(key="k").count() == 1
    assert selectors.books_sum() == ZERO


def test_an_account_emptied_at_once_is_not_overdrawn(accounts):
    def work(number):
        orders = [order(f"{number}-{n}", accounts[0], accounts[1], 70) for n in range(10)]
        return sum(verdict.is_posted for verdict in post(*orders))

    posted = sum(at_once(work))

    assert posted == 14
    assert selectors.balance(accounts[0]) == Money(20)
    assert selectors.balance(accounts[1]) == Money(1980)


def test_batches_across_the_same_accounts_never_wait_for_each_other_for_ever(accounts):
    def work(number):
        chance = random.Random(number)
        for batch in range(10):
            orders = [
                order(f"{number}-{batch}-{n}", *chance.sample(accounts, 2), chance.randint(1, 400))
                for n in range(8)
            ]
            post(*orders)

    at_once(work)

    assert sum(selectors.balance(account).paise for account in accounts) == 4000
    assert min(selectors.balance(account) for account in accounts) >= ZERO


def change_past_the_lock(account, *, changed, seconds=0.0):
    """Change an account's row without the lock of the books, and commit after so long."""
    with transaction.atomic():
        LedgerAccount.objects.filter(pk=account).update(name="changed")
        changed.set()
        time.sleep(seconds)
    connection.close()


@pytest.mark.parametrize("is_in_flight", [False, True])
def test_a_row_that_somebody_changes_past_the_lock_of_the_books_is_not_overwritten(
    accounts, monkeypatch, is_in_flight
):
    judge, changed, others = engine.judge, threading.Event(), []

    def judge_meanwhile(*given):
        options = {"changed": changed, "seconds": 0.5 if is_in_flight else 0.0}
        others.append(
            threading.Thread(target=change_past_the_lock, args=accounts[:1], kwargs=options)
        )
        others[0].start()
        changed.wait() if is_in_flight else others[0].join()
        return judge(*given)

    monkeypatch.setattr(engine, "judge", judge_meanwhile)
    with pytest.raises(BooksTouchedError):
        post(order("k", accounts[0], accounts[1], 300))
    others[0].join()
    monkeypatch.undo()

    assert LedgerAccount.objects.get(pk=accounts[0]).name == "changed"
    assert not Transfer.objects.filter(key="k").exists()
    assert selectors.balance(accounts[1]) == Money(1000)
    assert post(order("k", accounts[0], accounts[1], 300))[0].status is Status.ACCEPTED
