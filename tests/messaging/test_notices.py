"""Listeners hear after the commit, and a transaction costs one statement for all it has to tell."""

import contextlib

import psycopg
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.messaging.notices import notify_on_commit

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def heard():
    """Return what two channels said so far."""
    parameters = connection.get_connection_params()
    with contextlib.closing(psycopg.connect(**parameters, autocommit=True)) as listening:
        listening.execute("LISTEN first")
        listening.execute("LISTEN second")

        def words():
            # What was sent before comes with the answer to a question, at the latest.
            listening.execute("SELECT 1")
            return [(word.channel, word.payload) for word in listening.notifies(timeout=0)]

        yield words


def test_all_words_of_a_transaction_leave_by_one_statement_after_it(heard):
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        notify_on_commit("first", ["a", "b"])
        notify_on_commit("second", [""])
        notify_on_commit("first", ["b", "c"])
        before = heard()

    assert before == []
    assert heard() == [("first", "a"), ("first", "b"), ("second", ""), ("first", "c")]
    assert len([one for one in captured if "pg_notify" in one["sql"]]) == 1


def test_what_is_rolled_back_is_not_told(heard):
    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        notify_on_commit("first", ["a"])
        raise ZeroDivisionError

    assert heard() == []


def test_a_part_that_is_rolled_back_takes_no_other_word_with_it(heard):
    with transaction.atomic():
        with contextlib.suppress(ZeroDivisionError), transaction.atomic():
            notify_on_commit("first", ["a"])
            raise ZeroDivisionError
        notify_on_commit("second", ["b"])

    assert heard() == [("second", "b")]


def test_outside_a_transaction_words_leave_at_once(heard):
    notify_on_commit("first", ["a"])

    assert heard() == [("first", "a")]


def test_nothing_to_tell_is_no_statement():
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        notify_on_commit("first", [])

    assert not [one for one in captured if "pg_notify" in one["sql"]]
