"""The sandbox's durable store: one SQLite file, one writer, many commits made one."""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

Result = TypeVar("Result")

_BATCH_MAX = 256
_NOTES_WAIT_SECONDS = 0.05
_PAYMENT_COLUMNS_ADDED = {"kind": "PAY", "original_id": ""}
_SCHEMA = Path(__file__).with_name("schema.sql")


class Store:
    """
    Runs small pieces of work in the order given, and answers each only after its commit.

    All pieces that wait at one moment share a transaction, so a busy switch pays one fsync for
    many messages. A piece that raises is a bug: nothing of its batch is written, and it is raised
    in every caller of the batch. It is used from one event loop.
    """

    def __init__(self, path: Path, *, schema: Path = _SCHEMA) -> None:
        self._waiting: queue.SimpleQueue[list[_Piece]] = queue.SimpleQueue()
        self._gathered: list[_Piece] = []
        self._is_sending_soon = False
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        _upgrade(self._connection)
        self._connection.executescript(schema.read_text(encoding="utf-8"))
        self._thread = threading.Thread(target=self._write, name="store", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run this piece of work in the next transaction; return its result once committed."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._gathered.append(_Piece(work, future))
        if not self._is_sending_soon:
            self._is_sending_soon = True
            loop.call_soon(self._send)
        return await future

    def note(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Run this piece of work soon, in its place in the order; nobody waits for it."""
        if not self._gathered:
            asyncio.get_running_loop().call_later(_NOTES_WAIT_SECONDS, self._send)
        self._gathered.append(_Piece(work, None))

    def close(self) -> None:
        """Write what waits and close the file."""
        self._send()
        self._waiting.put([])
        self._thread.join()
        self._connection.close()

    def _send(self) -> None:
        # One hand-over for all that a turn of the loop gathered: waking the writer has a price.
        self._is_sending_soon = False
        if self._gathered:
            self._waiting.put(self._gathered)
            self._gathered = []

    def _write(self) -> None:
        is_open = True
        while is_open:
            batch, is_open = self._batch()
            if batch:
                self._commit(batch)

    def _batch(self) -> tuple[list["_Piece"], bool]:
        batch: list[_Piece] = []
        pieces = self._waiting.get()
        while pieces:
            batch += pieces
            if len(batch) >= _BATCH_MAX:
                return batch, True
            try:
                pieces = self._waiting.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _commit(self, batch: list["_Piece"]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            results = [piece.work(self._connection) for piece in batch]
            self._connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - handed to every caller of the batch
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            threading.excepthook(threading.ExceptHookArgs((type(error), error, None, None)))
            failures = [error] * len(batch)
            _hand(batch, lambda future, failure: future.set_exception(failure), failures)
            return
        _hand(batch, lambda future, result: future.set_result(result), results)


def _upgrade(connection: sqlite3.Connection) -> None:
    """Give an older journal the columns that it lacks."""
    present = {row["name"] for row in connection.execute("PRAGMA table_info(payments)")}
    for name, kept in _PAYMENT_COLUMNS_ADDED.items():
        if present and name not in present:
            connection.execute(
                f"ALTER TABLE payments ADD COLUMN {name} TEXT NOT NULL DEFAULT '{kept}'"
            )


class _Piece(NamedTuple):
    """One piece of work and who waits for it."""

    work: Callable[[sqlite3.Connection], Any]
    future: "asyncio.Future[Any] | None"


def _hand(
    batch: list[_Piece],
    settle: Callable[["asyncio.Future[Any]", Any], None],
    results: Sequence[object],
) -> None:
    """Settle all futures of a batch in one turn of their loop."""
    waiting = [
        (piece.future, result)
        for piece, result in zip(batch, results, strict=True)
        if piece.future is not None
    ]

    def settle_all() -> None:
        for future, result in waiting:
            if not future.done():
                settle(future, result)

    if waiting:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody waits any more
            waiting[0][0].get_loop().call_soon_threadsafe(settle_all)
