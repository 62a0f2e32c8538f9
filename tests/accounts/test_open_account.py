"""Accounts are opened once, with cash from the vault, and shown masked."""

import pytest
from django.db import DatabaseError, transaction

from apps.accounts import selectors
from apps.accounts.contracts import DebitCard
from apps.accounts.errors import AccountExistsError, AccountNotFoundError, DepositRefusedError
from apps.accounts.models import BankAccount
from apps.accounts.services.open_account import deposit, new_number, open_account
from apps.common.money import ZERO, Money
from apps.ledger import selectors as ledger
from apps.ledger.contracts import Chart
from tests.accounts.issuer import CARD, MOBILE, NUMBER

pytestmark = pytest.mark.django_db


def opened(**changes):
    facts = {"number": NUMBER, "holder_name": "ASHA RAO", "mobile": MOBILE, "card": CARD}
    return open_account(**{**facts, **changes})


def test_an_account_is_opened_without_money_and_without_a_pin():
    account = opened()

    assert selectors.available_balance(NUMBER) == ZERO
    view = selectors.view_account(NUMBER)
    assert view.account_id == account.pk
    assert view.ifsc == "EXBK0000001"
    assert view.masked_number == "XXXXXXXX7890"
    assert not view.has_pin
    assert NUMBER not in repr(view)
    assert MOBILE not in repr(view)


def test_only_a_code_of_the_card_is_kept():
    account = opened()

    kept = bytes(account.card_mac)
    assert len(kept) == 32
    assert CARD.digits.encode() not in kept
    assert CARD.digits not in repr(CARD)


def test_opening_again_is_the_same_account():
    first = opened()

    assert opened().pk == first.pk
    assert BankAccount.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"holder_name": "RAVI RAO"},
        {"mobile": "919800000002"},
        {"account_type": "CURRENT"},
        {"card": DebitCard("123457", "1239")},
    ],
)
def test_a_number_stands_for_one_holder(change):
    opened()

    with pytest.raises(AccountExistsError):
        opened(**change)

    assert BankAccount.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"number": "12345678"},
        {"number": "00123456789X"},
        {"number": "１２３４５６７８９０"},
        {"mobile": "9800000001"},
        {"mobile": "+919800000001"},
        {"account_type": "WALLET"},
    ],
)
def test_the_database_refuses_facts_without_form(change):
    with pytest.raises(DatabaseError), transaction.atomic():
        opened(**change)

    assert not BankAccount.objects.exists()


def test_a_deposit_comes_from_the_vault_once():
    opened()

    first = deposit(number=NUMBER, amount=Money(5000), reference="opening 1")
    again = deposit(number=NUMBER, amount=Money(5000), reference="opening 1")

    assert again.transfer_id == first.transfer_id
    assert selectors.available_balance(NUMBER) == Money(5000)
    assert ledger.account_by_code(Chart.VAULT_CASH).balance == Money(-5000)
    assert ledger.books_sum() == ZERO


def test_a_deposit_of_other_content_is_refused():
    opened()
    deposit(number=NUMBER, amount=Money(5000), reference="opening 1")

    with pytest.raises(DepositRefusedError) as refusal:
        deposit(number=NUMBER, amount=Money(5001), reference="opening 1")

    assert refusal.value.members == {"status": "EXISTS_WITH_DIFFERENT_AMOUNT"}
    assert selectors.available_balance(NUMBER) == Money(5000)


def test_a_deposit_needs_an_account():
    with pytest.raises(AccountNotFoundError):
        deposit(number=NUMBER, amount=Money(5000), reference="opening 1")


def test_the_accounts_of_a_mobile_are_listed_without_the_closed_ones():
    opened()
    opened(number="001234567891", card=DebitCard("654321", "1230"))
    opened(number="001234567892")
    BankAccount.objects.filter(number="001234567892").update(state="CLOSED")

    listed = selectors.accounts_of_mobile(MOBILE)

    assert [view.number for view in listed] == [NUMBER, "001234567891"]


def test_new_numbers_have_twelve_digits():
    assert {len(new_number()) for _ in range(20)} == {12}
    assert selectors.account_ids_by_number(["1"]) == {}
