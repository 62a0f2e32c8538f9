"""One Idempotency-Key, one effect, one answer."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from django.conf import settings
from django.db import OperationalError, connection
from psycopg.errors import LockNotAvailable

from apps.messaging.contracts import StoredAnswer
from apps.messaging.errors import (
    IdempotencyInProgressError,
    IdempotencyKeyInvalidError,
    IdempotencyKeyMissingError,
    IdempotencyMismatchError,
)
from apps.messaging.models import IdempotencyKey

log = structlog.get_logger(__name__)

# draft-ietf-httpapi-idempotency-key-header-07: the key is a string; 255 is what the trade allows.
_KEY = re.compile(r"[!-~]{1,255}")
TWIN_WAIT_MILLISECONDS = 500
PURGE_ROWS_MAX = 1000

# A twin at work is waited for while the row is inserted: the shorter time-out for locks holds from
# before that until after it, all in one statement.
_INSERT = """
    WITH bounded AS MATERIALIZED (
        SELECT current_setting('lock_timeout') AS usual,
               set_config('lock_timeout', %(wait)s::text, true)),
    taken AS (
        INSERT INTO messaging_idempotencykey (client, key, fingerprint, reference, http_status)
        SELECT %(client)s, %(key)s, %(fingerprint)s, %(reference)s, %(http_status)s FROM bounded
        ON CONFLICT (client, key) DO NOTHING RETURNING id)
    SELECT taken.id, set_config('lock_timeout', usual, true) FROM bounded LEFT JOIN taken ON true
"""

# An array is made once; a sub-select in a join may be asked again, and take more each time.
_PURGE = """
    DELETE FROM messaging_idempotencykey WHERE id = ANY(ARRAY(
        SELECT id FROM messaging_idempotencykey
         WHERE created_at < clock_timestamp() - make_interval(hours => %s)
         ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED))
"""


def require_key(header: str | None) -> str:
    """
    Return the key of a request.

    Raises IdempotencyKeyMissingError, IdempotencyKeyInvalidError.
    """
    if not header:
        raise IdempotencyKeyMissingError
    if _KEY.fullmatch(header) is None:
        raise IdempotencyKeyInvalidError
    return header


def fingerprint(*, method: str, route: str, body: Mapping[str, Any]) -> bytes:
    """Return what makes two requests the same: order of members and escapes do not matter."""
    canonical = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(b"\n".join((method.encode(), route.encode(), canonical))).digest()


def lookup(*, client: str, key: str, fingerprint: bytes) -> StoredAnswer | None:
    """
    Return the answer that this key already has, or None.

    Raises IdempotencyMismatchError when the key belongs to another request.
    """
    row = IdempotencyKey.objects.filter(client=client, key=key).first()
    if row is None:
        return None
    if bytes(row.fingerprint) != fingerprint:
        raise IdempotencyMismatchError
    return StoredAnswer(reference=row.reference, http_status=row.http_status)


def remember(
    *, client: str, key: str, fingerprint: bytes, reference: str, http_status: int = 201
) -> StoredAnswer | None:
    """
    Take the key for what this transaction makes; None says that it is ours and the work goes on.

    The caller's transaction is open and makes `reference` (an id minted beforehand). When a twin
    was first, its answer is returned and nothing must be made. A twin that is still at work is
    waited for half a second. There is no row for work in progress: rolled back, the key is free.

    Raises IdempotencyInProgressError (the transaction is then over), IdempotencyMismatchError.
    """
    assert connection.in_atomic_block, "the key and its effect are one transaction"
    with connection.cursor() as cursor:
        row: dict[str, Any] = {
            "client": client,
            "key": key,
            "fingerprint": fingerprint,
            "reference": reference,
            "http_status": http_status,
            "wait": TWIN_WAIT_MILLISECONDS,
        }
        try:
            cursor.execute(_INSERT, row)
        except OperationalError as error:
            if isinstance(error.__cause__, LockNotAvailable):
                raise IdempotencyInProgressError(retry_after_seconds=1) from error
            raise
        taken, _ = cursor.fetchone()
    if taken is not None:
        return None
    answer = lookup(client=client, key=key, fingerprint=fingerprint)
    if answer is None:
        # The twin's row was purged between the two statements: its time was over anyway.
        raise IdempotencyInProgressError(retry_after_seconds=1)
    return answer


def purge() -> int:
    """Remove keys whose time is over, a bounded number at once; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(_PURGE, [settings.MESSAGING_IDEMPOTENCY_KEY_LIFE_HOURS, PURGE_ROWS_MAX])
        return int(cursor.rowcount)
