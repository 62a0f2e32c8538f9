"""The sandbox's durable store: one SQLite file, one writer, many commits made one."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

Result = TypeVar("Result")

_BATCH_MAX = 256
_SCHEMA = Path(__file__).with_name("schema.sql")


class Store:
    """
    Runs small pieces of work in the order given, and answers each only after its commit.

    All pieces that wait at one moment share a transaction, so a busy switch pays one fsync for
    many messages. A piece that raises is a bug: nothing of its batch is written, and it is raised
    in every caller of the batch.
    """

    def __init__(self, path: Path) -> None:
        self._waiting: queue.SimpleQueue[_Piece | None] = queue.SimpleQueue()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.executescript(_SCHEMA.read_text(encoding="utf-8"))
        self._thread = threading.Thread(target=self._write, name="store", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run this piece of work in the next transaction; return its result once committed."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.put(_Piece(work, future))
        return await future

    def note(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Run this piece of work soon; nobody waits for it."""
        self._waiting.put(_Piece(work, None))

    def close(self) -> None:
        """Write what waits and close the file."""
        self._waiting.put(None)
        self._thread.join()
        self._connection.close()

    def _write(self) -> None:
        is_open = True
        while is_open:
            batch, is_open = self._batch()
            if batch:
                self._commit(batch)

    def _batch(self) -> tuple[list["_Piece"], bool]:
        batch: list[_Piece] = []
        piece = self._waiting.get()
        while piece is not None:
            batch.append(piece)
            if len(batch) == _BATCH_MAX:
                return batch, True
            try:
                piece = self._waiting.get_nowait()
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
            for piece in batch:
                piece.fail(error)
            return
        for piece, result in zip(batch, results, strict=True):
            piece.finish(result)


class _Piece:
    """One piece of work and who waits for it."""

    __slots__ = ("_future", "work")

    def __init__(
        self,
        work: Callable[[sqlite3.Connection], Any],
        future: "asyncio.Future[Any] | None",
    ) -> None:
        self.work = work
        self._future = future

    def finish(self, result: object) -> None:
        """Hand the result to the caller's loop."""
        self._hand(lambda future: future.set_result(result))

    def fail(self, error: Exception) -> None:
        """Hand the error to the caller's loop; without a caller, to the thread's error hook."""
        if self._future is None:
            threading.excepthook(threading.ExceptHookArgs((type(error), error, None, None)))
        self._hand(lambda future: future.set_exception(error))

    def _hand(self, settle: Callable[["asyncio.Future[Any]"], None]) -> None:
        future = self._future
        if future is None:
            return
        future.get_loop().call_soon_threadsafe(lambda: None if future.done() else settle(future))
