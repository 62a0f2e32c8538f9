"""Keep the audit log: each entry holds the digest of the one before."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
from django.db import connection, transaction

from apps.operators.errors import AuditBrokenError
from apps.operators.models import AuditEntry

GENESIS = "GENESIS"
CHUNK_ENTRIES = 1000
# One number for the one chain of a database.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('operators.audit', 0))"


@transaction.atomic
def record(
    *,
    actor: str,
    action: str,
    target: str = "",
    detail: Mapping[str, Any] | None = None,
    source_address: str = "",
) -> AuditEntry:
    """
    Append an entry, in the caller's transaction if one is open.

    Entries queue for one lock until their transactions end, so that none is ever between two
    others unseen. `detail` holds text, whole numbers, lists and objects; nothing secret.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK)
        cursor.execute("SELECT clock_timestamp()")
        (at,) = cursor.fetchone()
    last = AuditEntry.objects.order_by("-sequence").first()
    entry = AuditEntry(
        sequence=last.sequence + 1 if last else 1,
        at=at,
        actor=actor,
        action=action,
        target=target,
        detail=dict(detail or {}),
        source_address=source_address,
        previous_digest=last.digest if last else GENESIS,
    )
    entry.digest = digest_of(entry)
    entry.save(force_insert=True)
    return entry


def digest_of(entry: AuditEntry) -> str:
    """Return the SHA-256 over every column of an entry and the digest before it."""
    columns = [
        entry.sequence,
        entry.at.astimezone(dt.UTC).isoformat(),
        entry.actor,
        entry.action,
        entry.target,
        entry.detail,
        entry.source_address,
        entry.previous_digest,
    ]
    return hashlib.sha256(orjson.dumps(columns, option=orjson.OPT_SORT_KEYS)).hexdigest()


def verify(*, known_sequence: int = 0, known_digest: str = "") -> tuple[int, str]:
    """
    Walk the whole chain and return its last sequence and digest.

    A pair that an earlier walk returned, kept elsewhere, also proves that no tail was cut off and
    nothing was written anew. Raises AuditBrokenError at the first entry that does not hold.
    """
    sequence, digest = 0, GENESIS
    for entry in AuditEntry.objects.order_by("sequence").iterator(chunk_size=CHUNK_ENTRIES):
        if entry.sequence != sequence + 1:
            raise AuditBrokenError(f"entry {sequence + 1} is missing")
        if entry.previous_digest != digest:
            raise AuditBrokenError(f"entry {entry.sequence} does not follow entry {sequence}")
        if digest_of(entry) != entry.digest:
            raise AuditBrokenError(f"entry {entry.sequence} was changed")
        if entry.sequence == known_sequence and entry.digest != known_digest:
            raise AuditBrokenError(f"entry {entry.sequence} is not the one known")
        sequence, digest = entry.sequence, entry.digest
    if sequence < known_sequence:
        raise AuditBrokenError(f"entries after {sequence} are missing")
    return sequence, digest
