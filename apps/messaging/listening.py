"""Wait for PostgreSQL's NOTIFY."""

import contextlib
from types import TracebackType
from typing import Self

import psycopg
from django.db import connection
from psycopg import sql


class Listener:
    """A connection of its own that listens to one channel."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._connection: psycopg.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def wait(self, seconds: float) -> bool:
        """
        Return True at the next notification, or False after so many seconds without one.

        Raises psycopg.OperationalError when the database does not answer; the next call connects
        again. A notification sent in between is lost, so callers look for themselves as well.
        """
        if self._connection is None:
            self._connection = psycopg.connect(
                **connection.get_connection_params(), autocommit=True
            )
            self._connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
        try:
            return any(True for _ in self._connection.notifies(timeout=seconds, stop_after=1))
        except psycopg.OperationalError:
            self._close()
            raise

    def _close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error):
                self._connection.close()
            self._connection = None
