"""Reads of the books, and the lock of the books."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import F, Q, QuerySet, Sum

from apps.common.money import Money
from apps.ledger.contracts import Chart, Kind, StatementLine, Status, TransferOrder, Verdict
from apps.ledger.engine import Account, StoredTransfer
from apps.ledger.models import LedgerAccount, Transfer, TransferKey, digest_of

STATEMENT_LINES_MAX = 500

# Any number will do, as long as nothing else in this database locks the same one.
_BOOKS_LOCK = 0x1ED6E2


def lock_books() -> None:
    """
    Take the one lock behind which all posting of this database queues, until the transaction ends.

    Waiting for it is what lets batches form. It comes before every row lock of a posting.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_BOOKS_LOCK])


def account_by_code(code: Chart) -> LedgerAccount:
    """Return one of the bank's own accounts."""
    return LedgerAccount.objects.get(code=code)


def account_id_by_code(code: Chart) -> int:
    """Return the id under which orders name one of the bank's own accounts."""
    return account_ids_by_code([code])[code]


def account_ids_by_code(codes: Collection[Chart]) -> dict[Chart, int]:
    """Return the same of several of the bank's own accounts, by one statement."""
    found = LedgerAccount.objects.filter(code__in=codes).values_list("code", "pk")
    ids = {Chart(code): pk for code, pk in found if code is not None}
    assert ids.keys() == {*codes}, "the chart is in the books"
    return ids


def balance(account_id: int) -> Money:
    """Return posted credits less posted debits."""
    return LedgerAccount.objects.get(pk=account_id).balance


def books_sum() -> Money:
    """Return the sum of all balances, which is zero or the books are broken."""
    total = LedgerAccount.objects.aggregate(
        paise=Sum(F("credits_posted_paise") - F("debits_posted_paise"))
    )["paise"]
    return Money(int(total or 0))


def transfer_by_key(key: str) -> Transfer | None:
    """Return the transfer that happened under a key."""
    stored = TransferKey.objects.filter(digest=TransferKey.digest_of(key)).first()
    return None if stored is None else Transfer.objects.get(pk=stored.transfer_id)


def statement(
    account_id: int, *, before: UUID | None = None, limit: int = STATEMENT_LINES_MAX
) -> list[StatementLine]:
    """Return the newest transfers of an account, newest first; `before` continues a page."""
    lines: list[StatementLine] = []
    for side, sign in (("debit", -1), ("credit", 1)):
        rows: QuerySet[Transfer] = Transfer.objects.filter(Q(**{f"{side}_account_id": account_id}))
        if before is not None:
            rows = rows.filter(pk__lt=before)
        lines += [
            StatementLine(
                transfer_id=row.pk,
                key=row.key,
                kind=Kind(row.kind),
                purpose=row.purpose,
                posted_at=row.posted_at,
                amount=Money(sign * row.amount_paise),
                balance_after=Money(getattr(row, f"{side}_balance_after_paise")),
            )
            for row in rows.order_by("-pk")[: min(limit, STATEMENT_LINES_MAX)]
        ]
    lines.sort(key=lambda line: line.transfer_id, reverse=True)
    return lines[:limit]


def bigints(numbers: Iterable[int]) -> str:
    """Write an array for PostgreSQL; the driver does it too, at some microseconds a number."""
    return f"{{{','.join(map(str, numbers))}}}"


_READ_ACCOUNTS = """
    SELECT ctid::text, id, debits_posted_paise, credits_posted_paise, debits_pending_paise,
           credits_pending_paise, debits_must_not_exceed_credits, credits_must_not_exceed_debits
      FROM ledger_account WHERE id = ANY(%s::bigint[])
"""
_STORED_KEYS = """
    SELECT digest, transfer_id, kind, debit_account_id, credit_account_id, amount_paise, purpose
      FROM ledger_transfer_key WHERE digest = ANY(%s::uuid[])
"""


class ReadAccounts(NamedTuple):
    """Accounts by id, and where each one's row lies while the books are locked."""

    accounts: dict[int, Account]
    places: dict[int, str]


def ask_for_accounts(account_ids: Iterable[int]) -> Callable[[], ReadAccounts]:
    """
    Ask for these accounts, the books being locked; return how to read them.

    Inside a pipeline the statement is under way and the reading waits for it.
    """
    cursor = connection.cursor()
    cursor.execute(_READ_ACCOUNTS, [bigints(account_ids)])

    def read() -> ReadAccounts:
        rows = cursor.fetchall()
        return ReadAccounts(
            accounts={row[1]: Account(*row[1:]) for row in rows},
            places={row[1]: row[0] for row in rows},
        )

    return read


def stored_transfers(keys: Iterable[str]) -> dict[str, StoredTransfer]:
    """Return what is stored under these keys. It costs one index look-up a key."""
    by_digest = {digest_of(key).hex(): key for key in keys}
    with connection.cursor() as cursor:
        cursor.execute(_STORED_KEYS, [f"{{{','.join(by_digest)}}}"])
        rows = cursor.fetchall()
    transfers = Transfer.objects.in_bulk([row[1] for row in rows]) if rows else {}
    return {
        by_digest[digest.hex]: _stored(by_digest[digest.hex], rest, transfers[transfer_id])
        for digest, transfer_id, *rest in rows
    }


def _stored(key: str, row: Sequence[Any], transfer: Transfer) -> StoredTransfer:
    kind, debit_account, credit_account, paise, purpose = row
    order = TransferOrder(
        key=key,
        debit_account=debit_account,
        credit_account=credit_account,
        amount=Money(paise),
        purpose=purpose,
        kind=Kind(kind),
        pending_key=transfer.pending_key,
    )
    balances = (transfer.debit_balance_after_paise, transfer.credit_balance_after_paise)
    return StoredTransfer(
        order, Verdict(order.key, Status.ACCEPTED, transfer.pk, *map(Money, balances))
    )


def resolutions(pending_keys: Iterable[str]) -> dict[str, Kind]:
    """Return which of these pending transfers were posted or voided."""
    by_digest = {TransferKey.digest_of(key): key for key in pending_keys}
    if not by_digest:
        return {}
    rows = TransferKey.objects.filter(pending_digest__in=by_digest).values_list(
        "pending_digest", "kind"
    )
    return {by_digest[digest]: Kind(kind) for digest, kind in rows if digest is not None}
