"""Hold credentials from receipt to verdict, and not a minute longer."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import orjson
import psycopg
from django.db import connection

from apps.common.secret import Secret
from apps.upi import timers
from apps.upi.contracts import Credential
from apps.upi.timer_models import Timer

_STORE = """
    INSERT INTO upi_pin_block (exchange_id, credentials) VALUES (%s, %s)
    ON CONFLICT (exchange_id) DO UPDATE SET credentials = excluded.credentials, stored_at = now()
"""

_LOAD = """
    SELECT exchange_id, credentials::text FROM upi_pin_block
     WHERE exchange_id = ANY(%s)
       AND stored_at > clock_timestamp() - make_interval(secs => %s)
"""

_PURGE = """
    DELETE FROM upi_pin_block
     WHERE stored_at <= clock_timestamp() - make_interval(secs => %s)
"""


def store(exchange_id: UUID, credentials: Sequence[Credential]) -> None:
    """Keep the credentials of an exchange, in the caller's transaction, for a minute at most."""
    entries = [
        {
            "type": credential.type,
            "sub_type": credential.sub_type,
            "code": credential.code,
            "ki": credential.ki,
            "data": credential.data.reveal(),
        }
        for credential in credentials
    ]
    if entries:
        _store(exchange_id, entries)


def store_texts(message_id: UUID, texts: Sequence[str]) -> None:
    """Keep what was cut out of an answer of ours, by the answer's row in the log."""
    _store(message_id, list(texts))


def _store(key: UUID, entries: Sequence[object]) -> None:
    # Django writes values into the statement's text, which servers keep in logs and views. Here the
    # values travel beside the statement, so that nobody but the table sees a credential.
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_STORE, [key, orjson.dumps(entries).decode()])


def load_texts(message_ids: Sequence[UUID]) -> Mapping[UUID, list[str]]:
    """Return what was cut out of answers and is still there."""
    return {key: orjson.loads(document) for key, document in _load(message_ids)}


def _load(keys: Sequence[UUID]) -> list[tuple[UUID, str]]:
    with connection.cursor() as cursor:
        cursor.execute(_LOAD, [list(keys), timers.seconds(Timer.PIN_BLOCK_LIFE)])
        rows: list[tuple[UUID, str]] = cursor.fetchall()
        return rows


def load(exchange_ids: Sequence[UUID]) -> Mapping[UUID, tuple[Credential, ...]]:
    """Return the credentials that are still there; those past their minute are not."""
    return {
        exchange_id: tuple(
            Credential(
                type=entry["type"],
                sub_type=entry["sub_type"],
                code=entry["code"],
                ki=entry["ki"],
                data=Secret(entry["data"]),
            )
            for entry in orjson.loads(document)
        )
        for exchange_id, document in _load(exchange_ids)
    }


def delete(exchange_ids: Sequence[UUID]) -> None:
    """Forget credentials, in the transaction of the verdict, or when none will come."""
    if not exchange_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM upi_pin_block WHERE exchange_id = ANY(%s)", [list(exchange_ids)]
        )


def purge() -> int:
    """Forget the credentials past their minute, whoever they belong to. Return how many."""
    with connection.cursor() as cursor:
        cursor.execute(_PURGE, [timers.seconds(Timer.PIN_BLOCK_LIFE)])
        removed: int = cursor.rowcount
        return removed
