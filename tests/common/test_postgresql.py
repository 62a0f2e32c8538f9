"""A kept connection is believed to stand without a question, and one that was ended is noticed."""

import contextlib

import psycopg
import pytest
from django.db import close_old_connections, connection, connections
from django.test.utils import CaptureQueriesContext

pytestmark = pytest.mark.usefixtures("committed")


def _process() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def _end(process: int) -> None:
    parameters = connections["default"].get_connection_params()
    # Not through Django, for whom both would be one connection.
    with contextlib.closing(psycopg.connect(**parameters, autocommit=True)) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])


def test_a_healthy_connection_is_kept_and_asked_nothing():
    # One of an earlier test may be too old to be kept.
    connection.close()
    process = _process()
    close_old_connections()
    with CaptureQueriesContext(connection) as captured:
        assert _process() == process
    assert [query["sql"] for query in captured] == ["SELECT pg_backend_pid()"]


def test_a_connection_that_the_server_ended_is_replaced_before_the_next_statement():
    process = _process()
    _end(process)
    close_old_connections()
    assert _process() != process


def test_a_connection_that_was_never_made_is_not_usable():
    connection.close()
    assert not connection.is_usable()


def test_values_travel_beside_the_statement():
    with connection.cursor() as cursor:
        cursor.execute("SELECT query FROM pg_stat_activity WHERE query LIKE %s", ["%canary%"])
        assert cursor.fetchall() == []
