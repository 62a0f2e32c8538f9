"""Statements that travel together: each is sent without waiting for the one before it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def pipelined() -> Iterator[None]:
    """
    Send statements of the open transaction without waiting; reading a cursor waits for its own.

    Each sees what those before it did. When one fails, those after it are not done, and the error
    comes out of the first cursor read after it, or of the end of the block. No COPY is possible.
    """
    assert connection.in_atomic_block, "statements that travel together are one transaction's"
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield
