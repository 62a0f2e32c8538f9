"""Listeners hear after the commit, and a transaction says all that it has to say in one trip."""

import contextlib
import socket

import pytest
import redis
from django.db import transaction

from apps.messaging import hints, listening, wakeups
from apps.messaging.listening import Listener
from apps.messaging.notices import notify_on_commit

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def heard():
    """Return what two channels said so far."""
    with Listener("first") as first, Listener("second") as second:
        assert first.hear(5) == second.hear(5) == [listening.ANYTHING]

        def words(seconds=0.2):
            return first.hear(seconds), second.hear(seconds)

        yield words


@pytest.fixture
def trips(monkeypatch):
    """Return how many commands each trip to Redis carried."""
    client, counts = hints.client(), []

    def pipeline(**options):
        pipe = type(client).pipeline(client, **options)
        execute = pipe.execute
        pipe.execute = lambda: counts.append(len(pipe)) or execute()
        return pipe

    monkeypatch.setattr(client, "pipeline", pipeline)
    return counts


def test_all_that_a_transaction_has_to_say_leaves_in_one_trip_after_it(heard, trips):
    with transaction.atomic():
        notify_on_commit("first", ["a", "b"])
        wakeups.wake_on_commit("payments.debit")
        notify_on_commit("second", ["x"])
        notify_on_commit("first", ["b", "c"])
        before = heard()

    assert before == ([], [])
    assert heard() == (["a", "b", "c"], ["x"])
    assert trips == [5]


def test_what_is_rolled_back_is_not_told(heard):
    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        notify_on_commit("first", ["a"])
        raise ZeroDivisionError

    assert heard() == ([], [])


def test_a_part_that_is_rolled_back_takes_no_other_word_with_it(heard):
    with transaction.atomic():
        with contextlib.suppress(ZeroDivisionError), transaction.atomic():
            notify_on_commit("first", ["a"])
            raise ZeroDivisionError
        notify_on_commit("second", ["b"])

    assert heard() == ([], ["b"])


def test_outside_a_transaction_words_leave_at_once(heard):
    notify_on_commit("first", ["a"])

    assert heard() == (["a"], [])


def test_nothing_to_tell_is_no_trip(trips):
    with transaction.atomic():
        notify_on_commit("first", [])

    assert not trips


def test_a_connection_that_was_lost_says_that_anything_may_be_new():
    with Listener("first") as listener:
        listener.hear(5)
        hints.client().client_kill_filter(_type="pubsub", skipme=True)

        with pytest.raises(redis.ConnectionError):
            listener.hear(5)
        assert listener.hear(5) == [listening.ANYTHING]
        notify_on_commit("first", ["a"])
        assert listener.hear(5) == ["a"]


def test_very_many_words_are_heard_in_parts(heard, monkeypatch):
    monkeypatch.setattr(listening, "WORDS_MAX", 3)
    notify_on_commit("first", [str(number) for number in range(7)])

    parts = [heard()[0] for _ in range(3)]

    assert parts == [["0", "1", "2"], ["3", "4", "5"], ["6"]]


def test_a_server_that_vanishes_does_not_keep_its_listener_for_ever():
    with Listener("first") as listener:
        listener.hear(5)
        (pair,) = listener._heard.connection_pool._in_use_connections
        patience = pair._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)

    assert patience == listening.HEALTH_SECONDS * 1000
