"""Wake-ups: hints that cost nothing and are allowed to fail."""

import base64
import json
import socket
import time

import pytest
import redis
from celery import current_app
from django.conf import settings as django_settings
from django.db import transaction

from apps.messaging import hints, wakeups

STEP = "payments.debit"
# What no two messages have in common.
_OWN = {"headers": {"id", "root_id", "expires"}, "properties": {"correlation_id", "delivery_tag"}}
pytestmark = pytest.mark.usefixtures("broker")


@pytest.fixture
def broker():
    """The broker's Redis, its queue of payments emptied."""
    client = redis.Redis.from_url(django_settings.CELERY_BROKER_URL)
    client.delete("payments")
    hints.client().delete(f"wake:{STEP}")
    yield client
    client.delete("payments")
    client.close()


def _forget_connections():
    hints.client.cache_clear()


@pytest.fixture
def unreachable(broker, settings):
    """A Redis at which nobody listens."""
    settings.REDIS_URL = "redis://127.0.0.1:1"
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/1"
    _forget_connections()
    yield
    _forget_connections()


def test_a_wake_up_is_one_task_that_does_not_live_long(broker):
    wakeups.wake(STEP)
    wakeups.wake(STEP)

    (message,) = broker.lrange("payments", 0, -1)
    headers = json.loads(message)["headers"]
    assert headers["task"] == STEP
    assert headers["expires"] is not None
    assert 0 < hints.client().pttl(f"wake:{STEP}") <= 1000


def test_the_message_says_what_celery_itself_would_say(broker):
    wakeups.wake(STEP)
    current_app.send_task(STEP, expires=hints.TASK_LIFE_SECONDS)

    theirs, ours = (json.loads(message) for message in broker.lrange("payments", 0, -1))
    for part in ("headers", "properties"):
        known, written = theirs.pop(part), ours.pop(part)
        assert written.keys() <= known.keys()
        differing = {name for name in written if written[name] != known[name]}
        # Where the task itself is known its limits are named, which its worker knows anyway.
        assert differing - {"timelimit"} == _OWN[part]
    bodies = [json.loads(base64.b64decode(message.pop("body"))) for message in (theirs, ours)]
    assert bodies[0] == bodies[1]
    assert ours == theirs


def test_a_server_that_has_lost_the_script_is_given_it_again(broker):
    wakeups.wake(STEP)
    broker.script_flush()
    broker.delete(f"wake:{STEP}")

    wakeups.wake(STEP)

    assert broker.llen("payments") == 2


def test_a_step_is_woken_when_the_transaction_has_committed_and_once(broker, committed):
    with transaction.atomic():
        wakeups.wake_on_commit(STEP)
        wakeups.wake_on_commit(STEP)
        assert len(transaction.get_connection().run_on_commit) == 1
        assert broker.llen("payments") == 0

    assert broker.llen("payments") == 1


def test_nobody_is_woken_by_a_transaction_that_goes(broker, committed):
    with transaction.atomic():
        wakeups.wake_on_commit(STEP)
        transaction.set_rollback(True)

    assert broker.llen("payments") == 0


def test_without_a_transaction_the_step_is_woken_at_once(broker, committed):
    wakeups.wake_on_commit(STEP)

    assert broker.llen("payments") == 1


def test_the_flag_falls_before_the_first_claim(broker):
    wakeups.wake(STEP)
    flags = []

    def work():
        flags.append(hints.client().exists(f"wake:{STEP}"))
        return 0

    wakeups.drain(STEP, work)

    assert flags == [0]


def test_a_step_is_drained_until_nothing_is_left():
    sizes = [500, 20, 0, 99]

    assert wakeups.drain(STEP, lambda: sizes.pop(0)) == 520
    assert sizes == [99]


def test_a_step_that_never_ends_is_woken_again_after_so_many_rounds(broker, settings):
    settings.DRAIN_ROUNDS_MAX = 3
    rounds = []

    def work():
        rounds.append(1)
        return 7

    assert wakeups.drain(STEP, work) == 21

    assert len(rounds) == 3
    assert broker.llen("payments") == 1
    assert hints.begin(STEP), "what is left may be old"


def test_a_batch_that_was_all_there_was_is_not_followed_by_a_look():
    sizes = [32, 31, 99]

    assert wakeups.drain(STEP, lambda: sizes.pop(0), leaves_nothing_below=32) == 63
    assert sizes == [99]


def test_a_drain_begins_with_what_is_new_unless_the_sweeper_has_asked(broker):
    rounds = []

    def drain():
        del rounds[:]
        sizes = iter([5, 0])
        wakeups.drain(
            STEP,
            lambda: rounds.append("all") or next(sizes),
            take_new=lambda: rounds.append("new") or 3,
        )
        return list(rounds)

    wakeups.wake(STEP)
    assert drain() == ["new", "all", "all"]
    wakeups.wake_for_all(STEP)
    assert drain() == ["all", "all"]
    assert drain() == ["new", "all", "all"]


def test_new_work_that_was_all_there_was_is_not_followed_by_a_look(broker):
    done = wakeups.drain(STEP, lambda: 99, take_new=lambda: 3, leaves_nothing_below=32)

    assert done == 3


@pytest.mark.usefixtures("unreachable")
def test_without_redis_a_drain_looks_at_all():
    assert wakeups.drain(STEP, iter([3, 0]).__next__, take_new=lambda: 99) == 3


@pytest.mark.usefixtures("unreachable")
def test_without_redis_a_wake_up_is_lost_quickly_and_quietly():
    begun = time.monotonic()

    wakeups.wake(STEP)
    done = wakeups.drain(STEP, iter([3, 0]).__next__)

    assert done == 3
    assert time.monotonic() - begun < 1.5


def test_without_the_broker_a_wake_up_is_lost_quickly_and_quietly(settings):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/1"
    _forget_connections()
    begun = time.monotonic()

    wakeups.wake(STEP)

    assert time.monotonic() - begun < 1.5
    _forget_connections()


@pytest.fixture
def black_hole(broker, settings):
    """A Redis that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/1"
        _forget_connections()
        yield
    _forget_connections()


@pytest.mark.usefixtures("black_hole")
def test_a_redis_that_answers_nothing_keeps_one_waiting_and_not_all_that_follow():
    begun = time.monotonic()

    for _ in range(20):
        wakeups.wake(STEP)
        assert wakeups.drain(STEP, lambda: 0) == 0

    # Forty would have waited.
    assert hints.TIMEOUT_SECONDS <= time.monotonic() - begun < 10 * hints.TIMEOUT_SECONDS


def test_a_redis_that_answers_again_is_told_again(broker, monkeypatch):
    monkeypatch.setattr(hints, "SILENCE_SECONDS", 0.3)
    broker.execute_command("CLIENT", "PAUSE", "400", "ALL")
    wakeups.wake(STEP)
    time.sleep(0.5)
    broker.delete("payments", f"wake:{STEP}")

    wakeups.wake(STEP)

    assert broker.llen("payments") == 1
