"""Post transfers: fetch what a batch touches, let the engine decide, write it set-wise."""

from collections.abc import Mapping, Sequence

from django.db import IntegrityError, connection, transaction

from apps.common import clock, ids
from apps.common.pipelines import pipelined
from apps.ledger import engine, selectors
from apps.ledger.contracts import Status, TransferOrder, Verdict
from apps.ledger.engine import Account, Books, Judgement
from apps.ledger.errors import BooksTouchedError
from apps.ledger.models import digest_of

# A larger batch gains little and makes everybody behind it wait.
ORDERS_MAX = 2000

# Identifiers travel as their sixteen bytes, which is what the binary form of a uuid is.
_TRANSFER_TYPES = (
    *("bytea", "varchar", "varchar", "int8", "int8", "int8", "varchar", "varchar"),
    *("int8", "int8", "timestamptz"),
)
_KEY_TYPES = ("bytea", "bytea", "varchar", "int8", "int8", "int8", "bytea", "varchar")

# Only posting writes these rows, and the lock of the books keeps it to one at a time: so a row lies
# where it was found, the index is searched once and not twice, and no row needs a lock of its own.
_UPDATE_ACCOUNTS = """
    UPDATE ledger_account AS account
       SET debits_posted_paise = moved.debits_posted, credits_posted_paise = moved.credits_posted,
           debits_pending_paise = moved.debits_pending,
           credits_pending_paise = moved.credits_pending
      FROM unnest(%s::tid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
           AS moved (place, id, debits_posted, credits_posted, debits_pending, credits_pending)
     WHERE account.ctid = moved.place AND account.id = moved.id
"""


def post_transfers(orders: Sequence[TransferOrder]) -> list[Verdict]:
    """
    Decide and write a batch in the caller's open transaction; return one verdict an order.

    An order is decided on the books as the orders before it left them. What is refused leaves
    nothing; an order whose key happened already changes nothing and is told what happened then.
    As many statements as for one order, whatever the size of the batch. Raises BooksTouchedError.
    """
    assert transaction.get_connection().in_atomic_block, "posting needs the caller's transaction"
    assert len(orders) <= ORDERS_MAX, f"{len(orders)} orders in one batch"
    if not orders:
        return []
    with pipelined():
        selectors.lock_books()
        read_accounts = selectors.ask_for_accounts(
            {order.debit_account for order in orders} | {order.credit_account for order in orders}
        )
        transfer_ids = ids.uuid7_many(len(orders))
        found = read_accounts()
    judgement = engine.judge(Books(found.accounts, {}, {}), orders, transfer_ids)
    accepted = _accepted(orders, judgement)
    if len(accepted) < len(orders) or not _keys_are_new(accepted):
        judgement = engine.judge(_books(found.accounts, orders), orders, transfer_ids)
        accepted = _accepted(orders, judgement)
        _write_keys(accepted)
    if accepted:
        _write_accounts(list(judgement.accounts_after.values()), found.places)
        _write_transfers(accepted)
    return list(judgement.verdicts)


def _accepted(
    orders: Sequence[TransferOrder], judgement: Judgement
) -> list[tuple[TransferOrder, Verdict]]:
    return [
        (order, verdict)
        for order, verdict in zip(orders, judgement.verdicts, strict=True)
        if verdict.status is Status.ACCEPTED
    ]


def _keys_are_new(accepted: Sequence[tuple[TransferOrder, Verdict]]) -> bool:
    """
    Write the keys of a batch that was judged as if none had happened; say whether none had.

    Nearly always so, and writing finds it out: a search for each key before would cost as much
    again. A twin that committed meanwhile is found too, for the books are locked.
    """
    try:
        # A COPY's errors are the driver's own.
        with connection.wrap_database_errors, transaction.atomic():
            _write_keys(accepted)
    except IntegrityError:
        return False
    return True


def _books(accounts: Mapping[int, Account], orders: Sequence[TransferOrder]) -> Books:
    """Return all that a batch touches, with what happened under its keys before."""
    pending_keys = sorted({order.pending_key for order in orders if order.pending_key is not None})
    keys = [*(order.key for order in orders), *pending_keys]
    return Books(
        accounts=accounts,
        transfers=selectors.stored_transfers(keys),
        resolutions=selectors.resolutions(pending_keys),
    )


def _write_accounts(moved: Sequence[Account], places: Mapping[int, str]) -> None:
    """Write the new totals: one update an account, however many transfers moved it."""
    found = ",".join([f'"{places[account.id]}"' for account in moved])
    with connection.cursor() as cursor:
        cursor.execute(
            _UPDATE_ACCOUNTS,
            [
                f"{{{found}}}",
                selectors.bigints([account.id for account in moved]),
                selectors.bigints([account.debits_posted for account in moved]),
                selectors.bigints([account.credits_posted for account in moved]),
                selectors.bigints([account.debits_pending for account in moved]),
                selectors.bigints([account.credits_pending for account in moved]),
            ],
        )
        if cursor.rowcount != len(moved):
            raise BooksTouchedError


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
            assert verdict.transfer_id is not None
            assert verdict.debit_balance_after is not None
            assert verdict.credit_balance_after is not None
            copy.write_row(
                (
                    verdict.transfer_id.bytes,
                    order.key,
                    order.kind.value,
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
    if not accepted:
        return
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY ledger_transfer_key (digest, transfer_id, kind, debit_account_id, "
            "credit_account_id, amount_paise, pending_digest, purpose) FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        copy.set_types(_KEY_TYPES)
        for order, verdict in accepted:
            assert verdict.transfer_id is not None
            pending = order.pending_key
            copy.write_row(
                (
                    digest_of(order.key),
                    verdict.transfer_id.bytes,
                    order.kind.value,
                    order.debit_account,
                    order.credit_account,
                    order.amount.paise,
                    None if pending is None else digest_of(pending),
                    order.purpose,
                )
            )
