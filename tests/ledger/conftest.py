"""Accounts in the books for the ledger's tests."""

import pytest

from apps.common.money import Money
from apps.ledger import selectors
from apps.ledger.contracts import Chart, TransferOrder
from apps.ledger.services.open_ledger_account import open_ledger_account
from apps.ledger.services.posting import post_transfers


@pytest.fixture
def vault(db):
    return selectors.account_id_by_code(Chart.VAULT_CASH)


@pytest.fixture
def open_account(vault):
    """Open a customer's account with some money in it."""

    def open_account(paise=0):
        account = open_ledger_account(name="customer", debits_must_not_exceed_credits=True)
        if paise:
            post_transfers(
                [TransferOrder(f"open-{account.pk}", vault, account.pk, Money(paise), "DEPOSIT")]
            )
        return account.pk

    return open_account
