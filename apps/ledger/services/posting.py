"""Post transfers: fetch what a batch touches, let the engine decide, write it set-wise."""

from collections.abc import Iterable, Sequence

from django.db import connection, transaction

from apps.common import clock, ids
from apps.ledger import engine, selectors
from apps.ledger.contracts import Status, TransferOrder, Verdict
from apps.ledger.engine import Account, Books
from apps.ledger.models import TransferKey

# A larger batch gains little and makes everybody behind it wait.
ORDERS_MAX = 2000

_TRANSFER_TYPES = (
    *("uuid", "varchar", "varchar", "int8", "int8", "int8", "varchar", "varchar"),
    *("int8", "int8", "timestamptz"),
)
_KEY_TYPES = ("uuid", "uuid", "varchar", "int8", "int8", "int8", "uuid", "varchar")


def post_transfers(orders: Sequence[TransferOrder]) -> list[Verdict]:
    """
    Decide and write a batch in the caller's open transaction; return one verdict an order.

    An order is decided on the books as the orders before it left them. What is refused leaves
    nothing; an order whose key happened already changes nothing and is told what happened then.
    Six statements, whatever the size of the batch.
    """
    assert transaction.get_connection().in_atomic_block, "posting needs the caller's transaction"
    assert len(orders) <= ORDERS_MAX, f"{len(orders)} orders in one batch"
    if not orders:
        return []
    selectors.lock_books()
    books = _fetch(orders)
    judgement = engine.judge(books, orders, [ids.uuid7() for _ in orders])
    accepted = [
        (order, verdict)
        for order, verdict in zip(orders, judgement.verdicts, strict=True)
        if verdict.status is Status.ACCEPTED
    ]
    if accepted:
        _write_accounts(judgement.accounts_after.values())
        _write_transfers(accepted)
        _write_keys(accepted)
    return list(judgement.verdicts)


def _fetch(orders: Sequence[TransferOrder]) -> Books:
    accounts = selectors.lock_accounts(
        {order.debit_account for order in orders} | {order.credit_account for order in orders}
    )
    pending_keys = sorted({order.pending_key for order in orders if order.pending_key is not None})
    # The keys are read under the lock, so a twin that committed meanwhile is seen.
    return Books(
        accounts=accounts,
        transfers=selectors.stored_transfers([*(order.key for order in orders), *pending_keys]),
        resolutions=selectors.resolutions(pending_keys),
    )


def _write_accounts(accounts: Iterable[Account]) -> None:
    """Write the new totals: one update an account, however many transfers moved it."""
    rows = list(accounts)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ledger_account a SET debits_posted_paise = n.debits_posted, "
            "credits_posted_paise = n.credits_posted, debits_pending_paise = n.debits_pending, "
            "credits_pending_paise = n.credits_pending FROM unnest(%s::bigint[], %s::bigint[], "
            "%s::bigint[], %s::bigint[], %s::bigint[]) "
            "AS n(id, debits_posted, credits_posted, debits_pending, credits_pending) "
            "WHERE a.id = n.id",
            [
                selectors.bigints(row.id for row in rows),
                selectors.bigints(row.debits_posted for row in rows),
                selectors.bigints(row.credits_posted for row in rows),
                selectors.bigints(row.debits_pending for row in rows),
                selectors.bigints(row.credits_pending for row in rows),
            ],
        )


def _write_transfers(accepted: Sequence[tuple[TransferOrder, Verdict]]) -> None:
    posted_at = clock.now()
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY ledger_transfer (id, key, kind, debit_account_id, credit_account_id, "
            "amount_paise, pending_key, purpose, debit_balance_after_paise, "
            "credit_balance_after_paise, posted_at) FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        copy.set_types(_TRANSFER_TYPES)
        for order, verdict in accepted:
            assert verdict.debit_balance_after is not None
            assert verdict.credit_balance_after is not None
            copy.write_row(
                (
                    verdict.transfer_id,
                    order.key,
                    order.kind,
                    order.debit_account,
                    order.credit_account,
                    order.amount.paise,
                    order.pending_key,
                    order.purpose,
                    verdict.debit_balance_after.paise,
                    verdict.credit_balance_after.paise,
                    posted_at,
                )
            )


def _write_keys(accepted: Sequence[tuple[TransferOrder, Verdict]]) -> None:
    """Write the keys last: were one taken after all, this is where the batch ends."""
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY ledger_transfer_key (digest, transfer_id, kind, debit_account_id, "
            "credit_account_id, amount_paise, pending_digest, purpose) FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        copy.set_types(_KEY_TYPES)
        for order, verdict in accepted:
            pending = order.pending_key
            copy.write_row(
                (
                    TransferKey.digest_of(order.key),
                    verdict.transfer_id,
                    order.kind,
                    order.debit_account,
                    order.credit_account,
                    order.amount.paise,
                    None if pending is None else TransferKey.digest_of(pending),
                    order.purpose,
                )
            )
