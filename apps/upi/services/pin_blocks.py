"""Hold credentials from receipt to verdict, and not a minute longer."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connection

from apps.common.secret import Secret
from apps.upi.contracts import Credential

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
    if not credentials:
        return
    document = orjson.dumps(
        [
            {
                "type": credential.type,
                "sub_type": credential.sub_type,
                "code": credential.code,
                "ki": credential.ki,
                "data": credential.data.reveal(),
            }
            for credential in credentials
        ]
    ).decode()
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [exchange_id, document])


def load(exchange_ids: Sequence[UUID]) -> Mapping[UUID, tuple[Credential, ...]]:
    """Return the credentials that are still there; those past their minute are not."""
    with connection.cursor() as cursor:
        cursor.execute(_LOAD, [list(exchange_ids), settings.UPI_PIN_BLOCK_LIFE_SECONDS])
        rows = cursor.fetchall()
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
        for exchange_id, document in rows
    }


def delete(exchange_ids: Sequence[UUID]) -> None:
    """Forget credentials, in the transaction of the verdict, or when none will come."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM upi_pin_block WHERE exchange_id = ANY(%s)", [list(exchange_ids)]
        )


def purge() -> int:
    """Forget the credentials past their minute, whoever they belong to. Return how many."""
    with connection.cursor() as cursor:
        cursor.execute(_PURGE, [settings.UPI_PIN_BLOCK_LIFE_SECONDS])
        return cursor.rowcount
