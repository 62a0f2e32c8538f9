"""A kept connection is believed to stand without a question, and one that was ended is noticed."""

import contextlib

import psycopg
import pytest
from django.db import close_old_connections, connection, connections
from django.test.utils import CaptureQueriesContext

from apps.common.postgresql.base import DatabaseWrapper

pytestmark = pytest.mark.usefixtures("committed")


def _process() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def _end(process: int) -> None:
    _ask_aside("SELECT pg_terminate_backend(%s, 5000)", process)


def _ask_aside(statement: str, process: int) -> object:
    parameters = connections["default"].get_connection_params()
    # Not through Django, for whom both would be one connection.
    with contextlib.closing(psycopg.connect(**parameters, autocommit=True)) as other:
        return other.execute(statement, [process]).fetchone()[0]


@pytest.fixture
def pooled():
    """A connection as the threads of one process share it: closed, it is given back."""
    settings = connection.settings_dict
    options = {**settings["OPTIONS"], "pool": {"min_size": 1, "max_size": 1, "timeout": 10}}
    wrapper = DatabaseWrapper({**settings, "CONN_MAX_AGE": 0, "OPTIONS": options}, alias="pooled")
    yield wrapper
    wrapper.close()
    wrapper.close_pool()


def _process_of(wrapper: DatabaseWrapper) -> int:
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


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


def test_a_healthy_connection_of_a_pool_is_asked_nothing(pooled):
    process = _process_of(pooled)
    pooled.close()

    pooled.ensure_connection()

    asked_last = "SELECT query FROM pg_stat_activity WHERE pid = %s"
    assert _ask_aside(asked_last, process) == "SELECT pg_backend_pid()"
    assert _process_of(pooled) == process


def test_a_connection_of_a_pool_that_the_server_ended_is_replaced(pooled):
    process = _process_of(pooled)
    pooled.close()
    _end(process)

    assert _process_of(pooled) != process


def test_values_travel_beside_the_statement():
    with connection.cursor() as cursor:
        cursor.execute("SELECT query FROM pg_stat_activity WHERE query LIKE %s", ["%canary%"])
        assert cursor.fetchall() == []
