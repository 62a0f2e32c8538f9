"""
Whether an account may be debited or credited just now: the checks of upi-protocol 4.2, in order.

A batch asks once (`standing_of`), with one query for the bank's pauses and all its accounts'
restrictions, and judges each account by what it was told.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from apps.accounts import selectors
from apps.accounts.models import BankAccount
from apps.accounts.states import Pause, Restriction, Side
from apps.common.money import Money
from apps.ledger.models import LedgerAccount

# Each in the order in which it is asked.
_DEBIT_PAUSES = {
    Pause.SERVICE: "IR",
    Pause.CORE_BANKING: "XY",
    Pause.POOL_ACCOUNT: "LD",
    Pause.HSM: "HS",
    Pause.CUT_OFF: "XT",
}
_MERCHANT_PAUSES = {Pause.MERCHANTS: "X7"}
_CREDIT_PAUSES = {
    Pause.POOL_ACCOUNT: "LC",
    Pause.CORE_BANKING: "Y1",
    Pause.CUT_OFF: "XU",
    Pause.SERVICE: "UB",
}
_DEBIT_RESTRICTIONS = {Restriction.NO_DEBIT: "B3", Restriction.COMPLIANCE: "CI"}
_CREDIT_RESTRICTIONS = {Restriction.NO_CREDIT: "B3", Restriction.COMPLIANCE: "XW"}
DEBIT_RISK = "K1"
CREDIT_RISK = "ZI"
OVER_BALANCE_MAX = "PS"
FUNDS_BLOCKED = "IE"
NO_FUNDS = "Z9"
POOL_NOT_DEBITED = "LC"
POOL_NOT_CREDITED = "LD"

_STANDING = """
    SELECT NULL::bigint, side, kind FROM accounts_service_pause
     WHERE valid_from_at <= clock_timestamp()
       AND (valid_until_at IS NULL OR valid_until_at > clock_timestamp())
    UNION ALL
    SELECT account_id, '', kind FROM accounts_account_restriction
     WHERE account_id = ANY(%s::bigint[]) AND valid_from_at <= clock_timestamp()
       AND (valid_until_at IS NULL OR valid_until_at > clock_timestamp())
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands against debits and credits at one instant."""

    pauses: frozenset[tuple[str, str]]
    restrictions: Mapping[int, frozenset[str]]

    def debit_refusal(self, account: BankAccount | None, *, mobile: str | None = None) -> str:
        """Return why an account may not be debited before its PIN is looked at, "" if it may."""
        return (
            self._pause(Side.REMITTER, _DEBIT_PAUSES)
            or selectors.remitter_refusal(account)
            or self._restriction(account, _DEBIT_RESTRICTIONS)
            or selectors.remitter_refusal(account, mobile=mobile)
        )

    def debit_risk(self, account: BankAccount) -> str:
        """Return the code of the issuer's suspicion, which is asked last, "" without one."""
        return DEBIT_RISK if self._has(account, Restriction.SUSPECTED_FRAUD) else ""

    def credit_refusal(self, account: BankAccount | None) -> str:
        """Return why an account may not be credited, "" if it may; its balance comes after."""
        return selectors.beneficiary_refusal(account) or self._restriction(
            account, _CREDIT_RESTRICTIONS
        )

    def merchant_refusal(self) -> str:
        """Return why no merchant of ours may be credited just now, "" if they may."""
        return self._pause(Side.BENEFICIARY, _MERCHANT_PAUSES)

    def credit_risk(self, account: BankAccount) -> str:
        """Return the code of the beneficiary's suspicion, then of what is down: both come last."""
        if self._has(account, Restriction.SUSPECTED_FRAUD):
            return CREDIT_RISK
        return self._pause(Side.BENEFICIARY, _CREDIT_PAUSES)

    def _pause(self, side: Side, codes: Mapping[Pause, str]) -> str:
        return next((code for kind, code in codes.items() if (side, kind) in self.pauses), "")

    def _restriction(self, account: BankAccount | None, codes: Mapping[Restriction, str]) -> str:
        if account is None:
            return ""
        return next((code for kind, code in codes.items() if self._has(account, kind)), "")

    def _has(self, account: BankAccount, kind: Restriction) -> bool:
        return kind in self.restrictions.get(account.pk, frozenset())


def pause_code(side: Side, kind: Pause) -> str:
    """Return the code that a pause declines with."""
    codes = _DEBIT_PAUSES if side is Side.REMITTER else _CREDIT_PAUSES | _MERCHANT_PAUSES
    return codes[kind]


def standing_of(accounts: Collection[BankAccount]) -> Standing:
    """Return what stands against these accounts now, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, [[account.pk for account in accounts]])
        rows = cursor.fetchall()
    kinds: dict[int, set[str]] = {}
    for account_id, _, kind in rows:
        if account_id is not None:
            kinds.setdefault(account_id, set()).add(kind)
    return Standing(
        pauses=frozenset((side, kind) for account_id, side, kind in rows if account_id is None),
        restrictions={account_id: frozenset(found) for account_id, found in kinds.items()},
    )


def funds_refusals(debits: Sequence[tuple[BankAccount, Money]]) -> list[str]:
    """Return for each debit IE when only blocked money is missing, Z9 for too little, else ""."""
    ids = {account.ledger_account_id for account, _ in debits}
    held = {row.pk: row for row in LedgerAccount.objects.filter(pk__in=ids)} if ids else {}
    return [_funds_refusal(held[account.ledger_account_id], amount) for account, amount in debits]


def _funds_refusal(held: LedgerAccount, amount: Money) -> str:
    if held.available.paise >= amount.paise:
        return ""
    return FUNDS_BLOCKED if held.balance.paise >= amount.paise else NO_FUNDS


def balance_refusals(credited: Sequence[tuple[BankAccount, Money]]) -> list[str]:
    """
    Return for each credit PS when the account would hold more than it may, else "".

    Credits to one account add up in their order. Nobody else posts meanwhile: the caller holds the
    lock of the books.
    """
    bounded = {account.ledger_account_id for account, _ in credited if account.balance_max_paise}
    rows = LedgerAccount.objects.filter(pk__in=bounded) if bounded else ()
    held = {row.pk: row.balance.paise for row in rows}
    codes = []
    for account, amount in credited:
        place, most = account.ledger_account_id, account.balance_max_paise
        if most is None:
            codes.append("")
        elif held[place] + amount.paise > most:
            codes.append(OVER_BALANCE_MAX)
        else:
            held[place] += amount.paise
            codes.append("")
    return codes
