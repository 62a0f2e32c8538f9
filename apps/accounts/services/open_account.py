"""Open an account, and put cash into it."""

import secrets

from django.conf import settings
from django.db import transaction

from apps.accounts import selectors
from apps.accounts.contracts import DebitCard
from apps.accounts.errors import AccountExistsError, AccountNotFoundError, DepositRefusedError
from apps.accounts.models import BankAccount, PinState
from apps.common import clock
from apps.common.money import Money
from apps.ledger.contracts import Chart, TransferOrder, Verdict
from apps.ledger.selectors import account_id_by_code
from apps.ledger.services.open_ledger_account import open_ledger_account
from apps.ledger.services.posting import post_transfers
from hsm import mac

_NUMBER_PREFIX = "0012"


def new_number() -> str:
    """Return a number for a new account, twelve digits; that it is free, the database says."""
    return f"{_NUMBER_PREFIX}{secrets.randbelow(10**8):08d}"


def open_account(
    *, number: str, holder_name: str, mobile: str, card: DebitCard, account_type: str = "SAVINGS"
) -> BankAccount:
    """
    Open an account without money and without a PIN. Repeating it returns the same account.

    `mobile` is 91 and ten digits. Of the card only a code under a key of the token is kept. Raises
    AccountExistsError when the number stands for an account with other facts.
    """
    existing = BankAccount.objects.filter(number=number).first()
    if existing is not None:
        facts = (existing.holder_name, existing.mobile, existing.account_type)
        if facts != (holder_name, mobile, account_type) or not is_card_of(existing, card):
            raise AccountExistsError
        return existing
    card_key = settings.HSM_MAC_KEY
    card_mac = _card_code(number, card, key_label=card_key)
    with transaction.atomic():
        account = BankAccount.objects.create(
            number=number,
            ifsc=settings.UPI_IFSC,
            account_type=account_type,
            holder_name=holder_name,
            mobile=mobile,
            ledger_account=open_ledger_account(
                name="customer account", debits_must_not_exceed_credits=True
            ),
            card_key=card_key,
            card_mac=card_mac,
            opened_at=clock.now(),
        )
        PinState.objects.create(account=account)
        return account


def deposit(*, number: str, amount: Money, reference: str) -> Verdict:
    """
    Put cash over the counter into an account, once for ever under `reference`.

    Raises AccountNotFoundError, DepositRefusedError.
    """
    account = selectors.accounts_by_number([number]).get(number)
    if account is None:
        raise AccountNotFoundError
    order = TransferOrder(
        key=f"DEPOSIT/{reference}",
        debit_account=account_id_by_code(Chart.VAULT_CASH),
        credit_account=account.ledger_account_id,
        amount=amount,
        purpose="DEPOSIT",
    )
    with transaction.atomic():
        (verdict,) = post_transfers([order])
    if not verdict.is_posted:
        raise DepositRefusedError(status=verdict.status.value)
    return verdict


def is_card_of(account: BankAccount, card: DebitCard) -> bool:
    """Tell whether these are the card's digits. Raises HsmError; no transaction is open."""
    code = _card_code(account.number, card, key_label=account.card_key)
    return secrets.compare_digest(code, bytes(account.card_mac))


def _card_code(number: str, card: DebitCard, *, key_label: str) -> bytes:
    # What is kept of a card says nothing without the token.
    return mac.mac(key_label, f"card|{number}|{card.digits}|{card.expiry}".encode())
