"""The core-banking host's book: accounts, what was asked, and the money that moved."""

import datetime as dt
import enum
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox import clock, ids
from sandbox.host_request import MOVING, Answer, Key, Processing, Request, Response
from sandbox.store import Store

OPENING, POSTED, UNDONE = "OPENING", "POSTED", "UNDONE"
_FORGETTING = (
    "DELETE FROM postings", "DELETE FROM calls", "DELETE FROM accounts",
    "DELETE FROM facts WHERE name = 'business_date'",
)  # fmt: skip
SETTINGS = ("refuses_after_reversal", "recognises_repeats")


class Status(enum.StrEnum):
    """What an account lets happen."""

    ACTIVE = "ACTIVE"
    NO_DEBIT = "NO_DEBIT"
    OVER_LIMIT = "OVER_LIMIT"
    FROZEN = "FROZEN"
    CLOSED = "CLOSED"


class State(enum.StrEnum):
    """How a request stands in the book."""

    POSTED = "POSTED"
    DECLINED = "DECLINED"
    UNDONE = "UNDONE"
    BURIED = "BURIED"


_REFUSALS: dict[Status, tuple[Response | None, Response | None]] = {
    # On a debit, on a credit.
    Status.ACTIVE: (None, None),
    Status.NO_DEBIT: (Response.RESTRICTED, None),
    Status.OVER_LIMIT: (Response.OVER_LIMIT, None),
    Status.FROZEN: (Response.RESTRICTED, Response.RESTRICTED),
    Status.CLOSED: (Response.CLOSED, Response.CLOSED),
}


@dataclass(frozen=True, slots=True)
class Account:
    """One customer's account."""

    number: str
    name: str
    status: Status
    balance_paise: int


class HostBook:
    """Every call is one committed piece of work."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def post(self, request: Request) -> Answer:
        """Move money, or say why not."""
        return await self._store.run(lambda connection: _post(connection, request))

    async def undo(self, request: Request) -> Answer:
        """Undo the original, or see to it that it is never done."""
        return await self._store.run(lambda connection: _undo(connection, request))

    async def enquire(self, request: Request) -> Answer:
        """Say what became of the original."""
        return await self._store.run(lambda connection: _enquire(connection, request))

    async def balance(self, request: Request) -> Answer:
        """Say how much is in the account."""
        return await self._store.run(lambda connection: _balance(connection, request))

    async def refuse(self, response: str) -> Answer:
        """Answer without any work; what is asked for is not done."""
        return await self._store.run(lambda connection: Answer(response, business_date(connection)))

    async def open_accounts(self, accounts: Sequence[Account]) -> int:
        """
        Open accounts with their opening balance, and return how many are new.

        One that is there keeps its balance and takes the name and the status.
        """

        def work(connection: sqlite3.Connection) -> int:
            return sum(_open(connection, account) for account in accounts)

        return await self._store.run(work)

    async def forget(self) -> None:
        """Have no accounts, remember no request, and be at today's business day."""

        def work(connection: sqlite3.Connection) -> None:
            for deletion in _FORGETTING:
                connection.execute(deletion)

        await self._store.run(work)

    async def account(self, number: str) -> Account | None:
        """Return an account as it stands."""
        return await self._store.run(lambda connection: _account(connection, number))

    async def settings(self) -> dict[str, bool]:
        """Return the host's habits."""
        return await self._store.run(
            lambda connection: {name: _is_on(connection, name) for name in SETTINGS}
        )

    async def set_habit(self, name: str, *, is_on: bool) -> None:
        """Change a habit."""
        await self._store.run(lambda connection: _remember(connection, name, str(int(is_on))))

    async def today(self) -> str:
        """Return the business day, YYYY-MM-DD."""
        return await self._store.run(business_date)

    async def cut_over(self) -> str:
        """Begin the next business day and return it."""

        def work(connection: sqlite3.Connection) -> str:
            day = dt.date.fromisoformat(business_date(connection)) + dt.timedelta(days=1)
            _remember(connection, "business_date", day.isoformat())
            return day.isoformat()

        return await self._store.run(work)

    async def day(self, date: str) -> list[sqlite3.Row]:
        """Return what was posted and undone on a business day, in order."""
        return await self._store.run(
            lambda connection: connection.execute(
                "SELECT postings.kind, postings.business_date, terminal, stan, sent_at, rrn,"
                " processing_code, upi_id, postings.account, abs(paise) AS amount_paise,"
                " CASE WHEN paise < 0 THEN 'D' ELSE 'C' END AS sign, response, at"
                " FROM postings JOIN calls ON calls.id = call_id"
                " WHERE postings.business_date = ? ORDER BY postings.id",
                (date,),
            ).fetchall()
        )


def business_date(connection: sqlite3.Connection) -> str:
    """Return the business day: today in India, unless a cut-over already began a later one."""
    return max(_fact(connection, "business_date", ""), clock.now().date().isoformat())


def _post(connection: sqlite3.Connection, request: Request) -> Answer:
    known = _calls(connection, request.key)
    if any(row["state"] == State.BURIED for row in known):
        return Answer(Response.INVALID, business_date(connection))
    if known and _is_on(connection, "recognises_repeats"):
        if known[-1]["content"] != request.content:
            return Answer(Response.DUPLICATE, business_date(connection))
        return _said_before(known[-1])
    refusal = _refusal(connection, request)
    posted = refusal is None
    call_id = _record(
        connection, request, refusal or Response.DONE, State.POSTED if posted else State.DECLINED
    )
    if posted:
        _move(connection, call_id, POSTED, request.account, request.change)
        connection.execute(
            "UPDATE calls SET balance_after ="
            " (SELECT balance_paise FROM accounts WHERE number = account) WHERE id = ?",
            (call_id,),
        )
    return _said_before(_calls(connection, request.key)[-1])


def _refusal(connection: sqlite3.Connection, request: Request) -> Response | None:
    account = _account(connection, request.account)
    if account is None:
        return Response.NO_ACCOUNT
    if request.paise == 0:
        return Response.INVALID
    on_debit, on_credit = _REFUSALS[account.status]
    if request.processing is not Processing.DEBIT:
        return on_credit
    if on_debit is None and account.balance_paise < request.paise:
        return Response.TOO_POOR
    return on_debit


def _undo(connection: sqlite3.Connection, request: Request) -> Answer:
    assert request.original is not None, "it was read with its original"
    today = business_date(connection)
    known = _calls(connection, request.original)
    if not known:
        if not _is_on(connection, "refuses_after_reversal"):
            return Answer(Response.NO_ACTION, today)
        _bury(connection, request)
        return Answer(Response.DONE, today, request.paise)
    # A buried original was never seen: there is nothing that this could differ from.
    seen = [row for row in known if row["state"] != State.BURIED]
    if any((row["rrn"], row["asked_paise"]) != (request.rrn, request.paise) for row in seen):
        return Answer(Response.INVALID, today)
    for row in known:
        if row["state"] == State.POSTED:
            # A credit is taken back even if it was spent: then the account is overdrawn.
            change = (
                -row["moved_paise"]
                if row["processing_code"] != Processing.DEBIT
                else row["moved_paise"]
            )
            _move(connection, row["id"], UNDONE, row["account"], change)
        if row["state"] != State.BURIED:
            connection.execute(
                "UPDATE calls SET state = ? WHERE id = ?",
                (State.UNDONE if row["state"] != State.DECLINED else State.DECLINED, row["id"]),
            )
    return Answer(Response.DONE, today, request.paise)


def _enquire(connection: sqlite3.Connection, request: Request) -> Answer:
    assert request.original is not None, "it was read with its original"
    today = business_date(connection)
    known = _calls(connection, request.original)
    if not known or (known[-1]["state"] != State.BURIED and known[-1]["rrn"] != request.rrn):
        return Answer(Response.NOT_FOUND, today)
    row = known[-1]
    stands = row["state"] in {State.POSTED, State.DECLINED}
    return Answer(
        Response.DONE,
        row["business_date"],
        row["moved_paise"] if stands and row["state"] == State.POSTED else row["asked_paise"],
        approval=row["approval"],
        original_response=row["response"] if stands else Response.INVALID,
    )


def _balance(connection: sqlite3.Connection, request: Request) -> Answer:
    account = _account(connection, request.account)
    today = business_date(connection)
    if account is None or account.status is Status.CLOSED:
        return Answer(Response.NO_ACCOUNT, today)
    return Answer(Response.DONE, today, 0, balance_paise=account.balance_paise)


def _said_before(row: sqlite3.Row) -> Answer:
    return Answer(
        row["response"],
        row["business_date"],
        row["moved_paise"] if row["response"] == Response.DONE else row["asked_paise"],
        approval=row["approval"],
        balance_paise=row["balance_after"],
    )


def _record(connection: sqlite3.Connection, request: Request, response: str, state: State) -> int:
    assert request.processing in MOVING, "nothing else is kept"
    is_posted = state is State.POSTED
    cursor = connection.execute(
        "INSERT INTO calls (terminal, stan, sent_at, acquirer, content, processing_code, rrn,"
        " upi_id, account, asked_paise, moved_paise, response, approval, state, business_date)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            request.key.terminal, request.key.stan, request.key.sent_at, request.acquirer,
            request.content, request.processing, request.rrn, request.upi_id, request.account,
            request.asked_paise, request.paise if is_posted else 0, response,
            ids.new_approval() if is_posted else "", state, business_date(connection),
        ),
    )  # fmt: skip
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _bury(connection: sqlite3.Connection, request: Request) -> None:
    """Remember an original that never came, so that it is refused when it comes."""
    key = request.original
    assert key is not None
    connection.execute(
        "INSERT INTO calls (terminal, stan, sent_at, acquirer, content, processing_code, rrn,"
        " upi_id, account, asked_paise, moved_paise, response, approval, state, business_date)"
        " VALUES (?, ?, ?, ?, '', ?, ?, ?, ?, ?, 0, ?, '', ?, ?)",
        (
            key.terminal, key.stan, key.sent_at, request.acquirer, request.processing,
            request.rrn, request.upi_id, request.account, request.paise, Response.INVALID,
            State.BURIED, business_date(connection),
        ),
    )  # fmt: skip


def _move(
    connection: sqlite3.Connection, call_id: int | None, kind: str, account: str, paise: int
) -> None:
    connection.execute(
        "INSERT INTO postings (call_id, kind, account, paise, business_date, at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (call_id, kind, account, paise, business_date(connection), clock.iso(clock.now())),
    )
    connection.execute(
        "UPDATE accounts SET balance_paise = balance_paise + ? WHERE number = ?", (paise, account)
    )


def _open(connection: sqlite3.Connection, account: Account) -> bool:
    if _account(connection, account.number) is not None:
        connection.execute(
            "UPDATE accounts SET name = ?, status = ? WHERE number = ?",
            (account.name, account.status, account.number),
        )
        return False
    connection.execute(
        "INSERT INTO accounts VALUES (?, ?, ?, 0)", (account.number, account.name, account.status)
    )
    _move(connection, None, OPENING, account.number, account.balance_paise)
    return True


def _account(connection: sqlite3.Connection, number: str) -> Account | None:
    row = connection.execute("SELECT * FROM accounts WHERE number = ?", (number,)).fetchone()
    if row is None:
        return None
    return Account(row["number"], row["name"], Status(row["status"]), row["balance_paise"])


def _calls(connection: sqlite3.Connection, key: Key) -> list[sqlite3.Row]:
    return connection.execute(
        "SELECT * FROM calls WHERE terminal = ? AND stan = ? AND sent_at = ? ORDER BY id",
        (key.terminal, key.stan, key.sent_at),
    ).fetchall()


def _is_on(connection: sqlite3.Connection, name: str) -> bool:
    return _fact(connection, name, "1") == "1"


def _fact(connection: sqlite3.Connection, name: str, default: str) -> str:
    row = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return default if row is None else str(row["value"])


def _remember(connection: sqlite3.Connection, name: str, value: str) -> None:
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))
