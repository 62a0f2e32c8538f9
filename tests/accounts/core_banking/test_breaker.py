"""What is measured of the breaker of a core-banking host."""

import pytest
from prometheus_client import REGISTRY

from apps.accounts.core_banking.iso8583_breaker import Breaker


def value(name, **labels):
    return REGISTRY.get_sample_value(f"core_banking_host_{name}", labels) or 0


@pytest.fixture
def breaker():
    breaker = Breaker()
    yield breaker
    breaker.close()


def test_a_host_that_is_marked_down_and_up_again_is_seen_in_the_metrics(breaker):
    before = [value("marks_total", mark=mark) for mark in ("down", "up")]

    breaker.open()
    breaker.open()
    seen_by_another = Breaker().is_open()
    down = value("down")
    breaker.close()
    breaker.close()

    assert seen_by_another
    assert (down, value("down")) == (1, 0)
    after = [value("marks_total", mark=mark) for mark in ("down", "up")]
    assert after == [before[0] + 1, before[1] + 1]
