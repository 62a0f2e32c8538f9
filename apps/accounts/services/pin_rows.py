"""Write many PIN rows in one statement."""

from collections.abc import Iterable

import orjson
from django.db import connection

from apps.accounts.models import PinState

# The ORM's bulk_update costs two milliseconds a row here; this costs a tenth of that.
_SAVE = """
    UPDATE accounts_pin_state AS row
       SET verifier_key = new.verifier_key, verifier = decode(new.verifier, 'hex'),
           tries_left = new.tries_left, locked_at = new.locked_at,
           otps_asked = new.otps_asked, otps_asked_from_at = new.otps_asked_from_at,
           state = new.state, holder = new.holder, has_taken_try = new.has_taken_try,
           claims = new.claims, binding = new.binding, claim = new.claim,
           next_action_at = new.next_action_at
      FROM jsonb_to_recordset(%s) AS new (
           id bigint, verifier_key text, verifier text, tries_left smallint,
           locked_at timestamptz, otps_asked smallint, otps_asked_from_at timestamptz, state text,
           holder uuid, has_taken_try boolean, claims smallint, binding jsonb, claim uuid,
           next_action_at timestamptz)
     WHERE row.id = new.id
"""


def save(rows: Iterable[PinState]) -> None:
    """Write all that changes of rows which the caller has locked."""
    document = [
        {
            "id": row.pk,
            "verifier_key": row.verifier_key,
            "verifier": None if row.verifier is None else bytes(row.verifier).hex(),
            "tries_left": row.tries_left,
            "locked_at": row.locked_at,
            "otps_asked": row.otps_asked,
            "otps_asked_from_at": row.otps_asked_from_at,
            "state": row.state,
            "holder": row.holder,
            "has_taken_try": row.has_taken_try,
            "claims": row.claims,
            "binding": row.binding,
            "claim": row.claim,
            "next_action_at": row.next_action_at,
        }
        for row in rows
    ]
    if not document:
        return
    with connection.cursor() as cursor:
        cursor.execute(_SAVE, [orjson.dumps(document).decode()])
