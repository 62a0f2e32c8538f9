"""Every message that passed the core-banking host's door, without whole account numbers."""

import json
import sqlite3
from collections.abc import Mapping

from sandbox import clock
from sandbox.host_codec import PIN_BLOCK
from sandbox.store import Store

_ROWS_MAX = 1000
_SHOWN_DIGITS = 4
_ACCOUNTS = ("102", "103")


class HostJournal:
    """What came and what went, in order; the last of it can be read again."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def note(
        self, direction: str, link: int, mti: str, fields: Mapping[str, str], *, fault: str = ""
    ) -> None:
        """Write a message down. Whatever bytes it holds, JSON keeps them on one line."""
        masked = {name: _masked(name, fields[name]) for name in fields if name != PIN_BLOCK}
        shown = json.dumps({"mti": mti} | masked)
        at = clock.iso(clock.now())
        self._store.note(
            lambda connection: connection.execute(
                "INSERT INTO messages (at, direction, link, fault, fields) VALUES (?, ?, ?, ?, ?)",
                (at, direction, link, fault, shown),
            )
        )

    async def after(self, number: int) -> list[dict[str, object]]:
        """Return the messages after this number, the oldest first, some at a time."""

        def work(connection: sqlite3.Connection) -> list[sqlite3.Row]:
            return connection.execute(
                "SELECT * FROM messages WHERE number > ? ORDER BY number LIMIT ?",
                (number, _ROWS_MAX),
            ).fetchall()

        rows = await self._store.run(work)
        return [{**dict(row), "fields": json.loads(row["fields"])} for row in rows]


def _masked(name: str, value: str) -> str:
    if name not in _ACCOUNTS:
        return value
    return value[-_SHOWN_DIGITS:].rjust(len(value), "X")
