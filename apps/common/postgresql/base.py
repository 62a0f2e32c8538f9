"""The database backend that every process of ours uses."""

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.pq import ConnStatus
from psycopg.pq.abc import PGconn
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL by Django, which asks a healthy server nothing before each request or task."""

    @property
    def pool(self) -> "ConnectionPool[Any] | None":
        """Return the pool that the threads share, as Django makes it but for the check."""
        options = self.settings_dict["OPTIONS"].get("pool")
        if options and self.alias not in self._connection_pools:  # type: ignore[attr-defined]
            pool = ConnectionPool(
                kwargs={**self.get_connection_params(), "autocommit": True},
                open=False,
                configure=self._configure_connection,  # type: ignore[attr-defined]
                check=_require_standing,
                **options,
            )
            # The first of several threads wins: nothing is open yet.
            self._connection_pools.setdefault(  # type: ignore[attr-defined]
                self.alias, pool
            )
        found: ConnectionPool[Any] | None = super().pool
        return found

    def is_usable(self) -> bool:
        """
        Say whether the kept connection still stands.

        A server that ended it has sent an end of file, or a word before that: then there is
        something to read. Only if there is, or after an error, the server itself is asked.
        """
        if self.connection is None:
            return False
        pgconn = self.connection.pgconn
        if self.errors_occurred or not _stands(pgconn):
            return bool(super().is_usable())
        return True


def _require_standing(connection: "psycopg.Connection[Any]") -> None:
    """Raise OperationalError when a pool's connection is broken; the server is seldom asked."""
    if not _stands(connection.pgconn):
        ConnectionPool.check_connection(connection)


def _stands(pgconn: PGconn) -> bool:
    return pgconn.status == ConnStatus.OK and not _has_input(pgconn.socket)


def _has_input(socket: int) -> bool:
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))
