"""
Damaged messages of every kind: each gets an Ack, none an error of ours, none an effect.

A sample of what `soak_fuzz` posts at length.
"""

import os

from apps.upi.models import Exchange, MessageLog
from tests.upi import routes, soak_fuzz

SAMPLE = 200
# What a refused message may leave, and what an accepted one adds.
LOG = {"upi_message_log", "messaging_outboxevent"}
WORK = {"upi_exchange", "upi_exchange_repeat", "upi_pin_block"}


def test_damaged_messages_are_acked_or_refused_but_never_an_error(door, changes, settings):
    settings.MESSAGING_CHECK_EVENTS = False
    # A fast machine must not shed: each of these messages is to be judged.
    settings.UPI_QUESTIONS_PER_SECOND = 1_000_000
    count = int(os.environ.get(soak_fuzz.INPUTS_VARIABLE, SAMPLE))

    def post(path: str, body: bytes) -> tuple[int, str]:
        answered = door.post(body, path=path)
        return answered.status, answered.err

    tally = soak_fuzz.run(count, key=door.key, post=post)

    assert tally.accepted + tally.refused == count
    assert 0 < tally.accepted < tally.refused
    assert len(routes.received) <= tally.accepted
    assert Exchange.objects.count() == tally.accepted
    assert MessageLog.objects.filter(direction="IN").count() == count
    grown = changes()
    assert set(grown) <= LOG | WORK
    assert grown["messaging_outboxevent"] == tally.refused
