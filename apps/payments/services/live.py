"""Tell whoever waits for a payment that its status changed: LISTEN and NOTIFY, no polling."""

import functools
from collections.abc import Sequence

import structlog
from django.db import DatabaseError, connection, transaction

log = structlog.get_logger(__name__)

CHANNEL = "payments_live"


def tell_on_commit(transaction_ids: Sequence[str]) -> None:
    """
    Say, once the open transaction has committed, that these payments have news.

    A word that is lost costs whoever waits a second look; it never fails the caller.
    """
    if transaction_ids:
        told = tuple(transaction_ids)
        transaction.on_commit(functools.partial(tell, told), robust=True)


def tell(transaction_ids: Sequence[str]) -> None:
    """Say now that these payments have news. No transaction is open."""
    # Outside the transaction: a NOTIFY inside makes commits queue for one lock (see the outbox).
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_notify(%s, id) FROM unnest(%s::text[]) AS id",
                [CHANNEL, list(transaction_ids)],
            )
    except DatabaseError as error:
        log.warning("live_word_lost", error=type(error).__name__)
