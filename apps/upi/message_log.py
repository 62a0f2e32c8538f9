"""Write the log of messages: set-wise, with credentials cut out."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection

from apps.common import ids
from apps.upi.models import MessageLog

_COLUMNS = (
    "id",
    "logged_at",
    "direction",
    "outcome",
    "exchange_id",
    "organisation",
    "api",
    "type",
    "txn_id",
    "msg_id",
    "body",
    "body_size",
    "body_digest",
    "signed_info",
    "signature_value",
    "ack_code",
    "reason",
)
_INSERT = f"INSERT INTO upi_message_log ({', '.join(_COLUMNS)}) "
_ROW = f"({', '.join(['%s'] * len(_COLUMNS))})"
_PREFIX = "log_"

_TAKEN = ["taken.id" if name == "exchange_id" else f"%({_PREFIX}{name})s" for name in _COLUMNS]

# What is taken by a statement's part "taken" has its row of the log in the same statement.
INSERT_TAKEN = f"{_INSERT} SELECT {', '.join(_TAKEN)} FROM taken"  # noqa: S608 - names of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """A message as the log keeps it; `body` is without credentials, and empty if not understood."""

    id: UUID = field(default_factory=ids.uuid7)
    logged_at: dt.datetime
    direction: MessageLog.Direction
    outcome: MessageLog.Outcome
    exchange_id: UUID | None = None
    organisation: str = ""
    api: str = ""
    type: str = ""
    txn_id: str = ""
    msg_id: str = ""
    body: str = ""
    raw: bytes
    signed_info: str = ""
    signature_value: str = ""
    ack_code: str = ""
    reason: str = ""


def write(entries: Sequence[LogEntry]) -> None:
    """Insert log rows by one statement, in the caller's transaction. `raw` leaves its digest."""
    if not entries:
        return
    # A list of rows, not a list of columns: most often there is one, and that is half the cost.
    values = [value for entry in entries for value in _values(entry)]
    with connection.cursor() as cursor:
        cursor.execute(f"{_INSERT} VALUES {', '.join([_ROW] * len(entries))}", values)


def log_parameters(entry: LogEntry) -> dict[str, Any]:
    """Return what INSERT_TAKEN needs of an entry, by names that are its own."""
    names = (f"{_PREFIX}{name}" for name in _COLUMNS)
    return dict(zip(names, _values(entry), strict=True))


def _values(entry: LogEntry) -> tuple[Any, ...]:
    return (
        entry.id,
        entry.logged_at,
        entry.direction.value,
        entry.outcome.value,
        entry.exchange_id,
        entry.organisation,
        entry.api,
        entry.type,
        entry.txn_id,
        entry.msg_id,
        entry.body,
        len(entry.raw),
        hashlib.sha256(entry.raw).digest(),
        entry.signed_info,
        entry.signature_value,
        entry.ack_code,
        entry.reason,
    )
