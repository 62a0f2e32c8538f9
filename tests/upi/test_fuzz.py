"""
Damaged messages of every kind: each gets an Ack, none an error of ours, none an effect.

A sample of what `soak_fuzz` posts at length, in rounds that each begin with an empty database: a
plan that PostgreSQL made for a small table must not meet a large one.
"""

import os

import pytest

from apps.upi.models import Exchange, MessageLog
from tests.upi import routes, soak_fuzz
from tests.upi.conftest import row_counts

SAMPLE = 200
ROUND = 1000
# What a refused message may leave, and what an accepted one adds.
LOG = {"upi_message_log", "messaging_outboxevent"}
WORK = {"upi_exchange", "upi_exchange_repeat", "upi_pin_block"}


def rounds() -> list[tuple[int, int]]:
    """Return the number of each round's first input, and how many it has."""
    count = int(os.environ.get(soak_fuzz.INPUTS_VARIABLE, SAMPLE))
    first = int(os.environ.get(soak_fuzz.FIRST_VARIABLE, "0"))
    return [(first + begin, min(ROUND, count - begin)) for begin in range(0, count, ROUND)]


@pytest.mark.parametrize(("first", "count"), rounds())
def test_damaged_messages_are_acked_or_refused_but_never_an_error(
    open_door, settings, first, count
):
    settings.MESSAGING_CHECK_EVENTS = False
    # A fast machine must not shed: each of these messages is to be judged.
    settings.UPI_QUESTIONS_PER_SECOND = 1_000_000
    before = row_counts()

    def post(path: str, body: bytes) -> tuple[int, str]:
        answered = open_door.post(body, path=path)
        return answered.status, answered.err

    tally = soak_fuzz.run(count, key=open_door.key, post=post, seed=soak_fuzz.SEED + first)

    assert tally.accepted + tally.refused == count
    assert tally.refused > 0
    assert len(routes.received) <= tally.accepted
    assert Exchange.objects.count() == tally.accepted
    assert MessageLog.objects.filter(direction="IN").count() == count
    after = row_counts()
    grown = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert set(grown) <= LOG | WORK
    assert grown["messaging_outboxevent"] == tally.refused
