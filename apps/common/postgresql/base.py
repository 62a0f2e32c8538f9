"""The database backend that every process of ours uses."""

import select

from django.db.backends.postgresql import base
from psycopg.pq import ConnStatus


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL by Django, which asks a healthy server nothing before each request or task."""

    def is_usable(self) -> bool:
        """
        Say whether the kept connection still stands.

        A server that ended it has sent an end of file, or a word before that: then there is
        something to read. Only if there is, or after an error, the server itself is asked.
        """
        if self.connection is None:
            return False
        pgconn = self.connection.pgconn
        if self.errors_occurred or pgconn.status != ConnStatus.OK or _has_input(pgconn.socket):
            return bool(super().is_usable())
        return True


def _has_input(socket: int) -> bool:
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))
