"""The other banks' book: accounts and transfers between them, so that it always sums to zero."""

import enum
import sqlite3

from sandbox import clock, world
from sandbox.store import Store

VAULT = "VAULT"
SWITCH = "SWITCH"


class Posting(enum.Enum):
    """What became of a transfer."""

    POSTED = "posted"
    REPEATED = "repeated"
    REFUSED = "refused"
    TOO_POOR = "too poor"
    NO_ACCOUNT = "no account"


class Book:
    """The other banks' money. Every call is one committed piece of work."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def open(self) -> None:
        """Open every customer's account with his opening deposit from the vault."""

        def work(connection: sqlite3.Connection) -> None:
            for number in (VAULT, SWITCH, *(person.account_number for person in world.PEOPLE)):
                connection.execute("INSERT OR IGNORE INTO book_accounts VALUES (?, 0)", (number,))
            for person in world.PEOPLE:
                if person.opening_paise:
                    key = f"OPENING:{person.account_number}"
                    _post(connection, key, VAULT, person.account_number, person.opening_paise)

        await self._store.run(work)

    async def debit(self, transaction_id: str, account: str, paise: int) -> Posting:
        """Take money from a customer for the switch, once."""
        return await self._store.run(
            lambda connection: _post(connection, f"DEBIT:{transaction_id}", account, SWITCH, paise)
        )

    async def credit(self, transaction_id: str, account: str, paise: int) -> Posting:
        """Give money from the switch to a customer, once."""
        return await self._store.run(
            lambda connection: _post(connection, f"CREDIT:{transaction_id}", SWITCH, account, paise)
        )

    async def reverse_debit(self, transaction_id: str) -> str:
        """Give a debit back; if it never came, refuse it for ever. Return 00 or OD."""

        def work(connection: sqlite3.Connection) -> str:
            row = _transfer(connection, f"DEBIT:{transaction_id}")
            if row is None:
                _bury(connection, f"DEBIT:{transaction_id}")
                return "OD"
            _post(connection, f"REVERSAL:{transaction_id}", SWITCH, row["debit"], row["paise"])
            return "00"

        return await self._store.run(work)

    async def reverse_credit(self, transaction_id: str) -> str:
        """Keep a credit that was done (CS); refuse for ever one that never came (OC)."""

        def work(connection: sqlite3.Connection) -> str:
            if _transfer(connection, f"CREDIT:{transaction_id}") is not None:
                return "CS"
            _bury(connection, f"CREDIT:{transaction_id}")
            return "OC"

        return await self._store.run(work)

    async def status(self, leg: str, transaction_id: str) -> str:
        """Return the code of a leg (DEBIT or CREDIT) for a status check: 00, or NO."""
        row = await self._store.run(
            lambda connection: _transfer(connection, f"{leg}:{transaction_id}")
        )
        return "NO" if row is None else "00"

    async def balances(self) -> dict[str, int]:
        """Return every account's balance in paise. They sum to zero."""
        rows = await self._store.run(
            lambda connection: connection.execute(
                "SELECT number, balance_paise FROM book_accounts ORDER BY number"
            ).fetchall()
        )
        return {row["number"]: row["balance_paise"] for row in rows}


def _post(connection: sqlite3.Connection, key: str, debit: str, credit: str, paise: int) -> Posting:
    if _transfer(connection, key) is not None:
        return Posting.REPEATED
    if connection.execute("SELECT 1 FROM book_tombstones WHERE key = ?", (key,)).fetchone():
        return Posting.REFUSED
    found = connection.execute(
        "SELECT number, balance_paise FROM book_accounts WHERE number IN (?, ?)", (debit, credit)
    ).fetchall()
    balances = {row["number"]: row["balance_paise"] for row in found}
    if len(balances) != len({debit, credit}) or debit == credit:
        return Posting.NO_ACCOUNT
    if debit not in {VAULT, SWITCH} and balances[debit] < paise:
        return Posting.TOO_POOR
    connection.execute(
        "INSERT INTO book_transfers VALUES (?, ?, ?, ?, ?)",
        (key, debit, credit, paise, clock.iso(clock.now())),
    )
    for account, change in ((debit, -paise), (credit, paise)):
        connection.execute(
            "UPDATE book_accounts SET balance_paise = balance_paise + ? WHERE number = ?",
            (change, account),
        )
    return Posting.POSTED


def _transfer(connection: sqlite3.Connection, key: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM book_transfers WHERE key = ?", (key,)
    ).fetchone()
    return row


def _bury(connection: sqlite3.Connection, key: str) -> None:
    connection.execute("INSERT OR IGNORE INTO book_tombstones VALUES (?)", (key,))
