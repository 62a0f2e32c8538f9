"""The sweeper: lost work is found within a second, whatever one probe does."""

import pytest
from django.core.management import call_command

from apps.messaging import sweeping
from apps.messaging.idempotency import purge as purge_keys

pytestmark = pytest.mark.usefixtures("committed")

NAME = "tests.messaging.test_sweeping"
left = [3, 2, 0]
woken: list[str] = []


def is_due() -> bool:
    return True


def is_idle() -> bool:
    return False


def is_broken() -> bool:
    raise ValueError("this probe is broken")


def take_away() -> int:
    return left.pop(0) if left else 0


@pytest.fixture(autouse=True)
def _record(monkeypatch):
    woken.clear()
    monkeypatch.setattr("apps.messaging.wakeups.wake_for_all", woken.append)


def test_every_due_step_is_woken_even_beside_a_broken_probe():
    probes = {"a": f"{NAME}.is_broken", "b": f"{NAME}.is_due", "c": f"{NAME}.is_idle"}

    due = sweeping.sweep({**probes, "d": "no.such.probe", "e": f"{NAME}.is_due"})

    assert due == ["b", "e"]
    assert woken == ["b", "e"]


def test_a_purge_goes_on_in_bites_until_nothing_is_left_and_others_go_on():
    left[:] = [3, 2, 0]

    removed = sweeping.purge({"x": f"{NAME}.is_broken", "y": f"{NAME}.take_away"})

    assert removed["y"] == 5
    assert "x" not in removed
    assert removed["messaging.idempotency_keys"] == purge_keys() == 0


def test_a_purge_is_bounded():
    left[:] = [1] * 100

    removed = sweeping.purge({"y": f"{NAME}.take_away"})

    assert removed["y"] == sweeping.PURGE_ROUNDS_MAX


def test_the_command_makes_one_pass(settings, monkeypatch):
    monkeypatch.setattr("upi_platform.sweeps.SWEEPS", {"a": f"{NAME}.is_due"})
    monkeypatch.setattr("upi_platform.sweeps.PURGES", {})

    call_command("sweep", once=True)

    assert woken == ["a"]
