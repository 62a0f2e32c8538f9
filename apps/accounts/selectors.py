"""Reads of the issuer, the checks of an account, and the locks of its rows."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from django.conf import settings
from django.db import connection

from apps.accounts.contracts import AccountView
from apps.accounts.errors import AccountNotFoundError
from apps.accounts.models import BankAccount, CredentialRequest, PinState, UnmatchedAnswer
from apps.accounts.states import AccountState, HoldState, RequestState
from apps.common.money import Money
from apps.ledger.models import LedgerAccount

# upi-protocol 4.2: a closed account answers as one that never was.
_REMITTER = {AccountState.CLOSED: "XH", AccountState.DORMANT: "ZX", AccountState.FROZEN: "YE"}
_BENEFICIARY = {AccountState.CLOSED: "XI", AccountState.DORMANT: "ZY", AccountState.FROZEN: "YF"}


def is_ours(ifsc: str) -> bool:
    """Say whether a branch is one of this bank: the first four signs of an IFSC name the bank."""
    return ifsc[:4] == settings.UPI_IFSC[:4]


def accounts_by_number(numbers: Collection[str]) -> dict[str, BankAccount]:
    """Return those of the accounts that exist."""
    found = BankAccount.objects.filter(number__in=numbers)
    return {account.number: account for account in found}


def account_ids_by_number(numbers: Collection[str]) -> dict[str, int]:
    """Return the ids of those of the accounts that exist."""
    return dict(BankAccount.objects.filter(number__in=numbers).values_list("number", "pk"))


def view_account(number: str) -> AccountView | None:
    """Return an account as others may see it."""
    account = BankAccount.objects.select_related("pin_state").filter(number=number).first()
    return None if account is None else _view(account)


def accounts_of_mobile(mobile: str) -> list[AccountView]:
    """Return the open accounts that are registered with a mobile number, oldest first."""
    accounts = (
        BankAccount.objects.select_related("pin_state")
        .filter(mobile=mobile)
        .exclude(state=AccountState.CLOSED)
        .order_by("pk")
    )
    return [_view(account) for account in accounts]


def _view(account: BankAccount) -> AccountView:
    return AccountView(
        account_id=account.pk,
        number=account.number,
        ifsc=account.ifsc,
        account_type=account.account_type,
        holder_name=account.holder_name,
        mobile=account.mobile,
        state=account.state,
        has_pin=account.pin_state.verifier is not None,
        is_joint=account.is_joint,
    )


def remitter_refusal(account: BankAccount | None, *, mobile: str | None = None) -> str:
    """Return the code with which an account may not be debited, or "" if it may."""
    if account is None:
        return "XH"
    refusal = _REMITTER.get(AccountState(account.state))
    if refusal:
        return refusal
    return "B1" if mobile is not None and mobile != account.mobile else ""


def beneficiary_refusal(account: BankAccount | None) -> str:
    """Return the code with which an account may not be credited, or "" if it may."""
    if account is None:
        return "XI"
    return _BENEFICIARY.get(AccountState(account.state), "")


def available_balance(number: str) -> Money:
    """Return what the holder may spend. Raises AccountNotFoundError."""
    account = LedgerAccount.objects.filter(bankaccount__number=number).first()
    if account is None:
        raise AccountNotFoundError
    return account.available


def lock_pin_states(account_ids: Iterable[int]) -> dict[int, PinState]:
    """Return the PIN rows of accounts, locked in the order of their ids."""
    rows = (
        PinState.objects.select_for_update(no_key=True)
        .filter(pk__in=account_ids)
        .order_by("account_id")
    )
    return {row.pk: row for row in rows}


def lock_pin_states_held_by(exchange_ids: Sequence[UUID]) -> list[PinState]:
    """Return the PIN rows that these exchanges hold, locked in the order of their ids."""
    return list(
        PinState.objects.select_for_update(no_key=True)
        .filter(holder__in=exchange_ids)
        .exclude(state=HoldState.FREE)
        .order_by("account_id")
    )


def lock_requests(ids: Sequence[UUID], *, claim: UUID) -> list[CredentialRequest]:
    """Return those requests that the claim still has, locked in the order of their ids."""
    return list(
        CredentialRequest.objects.select_for_update(no_key=True)
        .filter(pk__in=ids, claim=claim)
        .exclude(state=RequestState.ANSWERED)
        .order_by("pk")
    )


def lock_unmatched_answer(answer_id: UUID) -> UnmatchedAnswer:
    """Return what the host said unasked, its row locked until the transaction ends."""
    return UnmatchedAnswer.objects.select_for_update(no_key=True).get(pk=answer_id)


def database_now() -> dt.datetime:
    """Return the instant by the clock that all processes share."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    assert row is not None
    instant: dt.datetime = row[0]
    return instant


def credentials_are_due() -> bool:
    """Tell the sweeper whether a request about credentials waits to be worked."""
    return _is_due("accounts_credential_request")


def pins_are_due() -> bool:
    """Tell the sweeper whether a PIN row is held by an exchange that nobody works any more."""
    return _is_due("accounts_pin_state")


def _is_due(table: str) -> bool:
    with connection.cursor() as cursor:
        # Ordered, and so by the index of what waits: the planner takes a third of a table for due.
        cursor.execute(
            f"SELECT FROM {table} WHERE next_action_at <= (SELECT clock_timestamp()) "
            "AND parked_at IS NULL ORDER BY next_action_at LIMIT 1"
        )
        return cursor.fetchone() is not None
