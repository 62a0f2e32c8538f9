"""The host's trouble in the long run: it begins and ends with the switch's, and leaves nothing."""

import time

import httpx
import pytest

from deploy.local import host_trouble
from tests.core_banking_host import core_banking_host  # noqa: F401 - a fixture

SECONDS = 20


@pytest.fixture
def host(core_banking_host, monkeypatch):  # noqa: F811 - the fixture
    """A host that is ordered about all the time while the switch has faults."""
    monkeypatch.setattr(host_trouble, "_PAUSE_SECONDS", (0.25, 0.3))
    return core_banking_host


@pytest.fixture
def chance(monkeypatch):
    """Whether the switch has faults by chance: its word, which the tests say."""
    said = {"on": False}
    monkeypatch.setattr(host_trouble, "_has_chance", lambda _url: said["on"])
    return said


def values(host):
    return {
        "CORE_BANKING": "iso8583",
        "CORE_BANKING_CONTROL_URL": str(host.control.base_url),
        "SWITCH_CONTROL_URL": "http://127.0.0.1:9",
    }


def is_troubled(host):
    return bool(host.control.get("/faults").json()["faults"])


def wait_until(condition):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_trouble_begins_and_ends_with_that_of_the_switch(host, chance):
    with host_trouble.trouble(values(host), seed=1) as told:
        time.sleep(0.6)
        before = dict(told.orders)
        chance["on"] = True
        wait_until(lambda: is_troubled(host))
        chance["on"] = False
        wait_until(lambda: not is_troubled(host))
        ended = dict(told.orders)
        time.sleep(1)

    assert before == {}
    assert ended == dict(told.orders)
    assert sum(ended.values()) >= 1
    assert not is_troubled(host)


def test_what_may_be_left_to_a_person_is_counted_by_what_was_met():
    told = host_trouble.Trouble()
    told.met.update(crossed_stan=2, other_account=1, partial=3, black_hole=9, reset=4)

    assert host_trouble.strays(told) == 9


def test_nothing_is_ordered_after_the_block(host, chance):
    chance["on"] = True
    with host_trouble.trouble(values(host), seed=1):
        wait_until(lambda: is_troubled(host))

    time.sleep(1)
    assert not is_troubled(host)


def run_into_a_dead_host(host, *, error=None):
    with host_trouble.trouble(values(host), seed=1) as told:
        wait_until(lambda: is_troubled(host))
        host.kill()
        if error is not None:
            raise error
        wait_until(lambda: told.error is not None)


def test_a_failing_clean_up_does_not_hide_the_error_of_the_run(host, chance):
    chance["on"] = True

    with pytest.raises(RuntimeError, match="the run"):
        run_into_a_dead_host(host, error=RuntimeError("the run"))


def test_trouble_that_ended_early_is_an_error_of_the_run(host, chance):
    chance["on"] = True

    with pytest.raises(httpx.HTTPError):
        run_into_a_dead_host(host)


def test_our_own_books_are_left_in_peace():
    with host_trouble.trouble({"CORE_BANKING": "ledger"}, seed=1) as told:
        pass

    assert (dict(told.orders), dict(told.met)) == ({}, {})
