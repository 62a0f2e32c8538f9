# ruff: noqa: E402 - Django is set up before its models are imported
"""
One process of the outbox's benchmark: `python -m tests.benchmarks.outbox_process ROLE …`.

`publish COUNT RATE BATCH` writes facts as the engine does, so many in a transaction, at their
time; `relay` and `consume FILE` are the platform's own commands, and the consumer notes in the file
when each event was applied: after the commit of its transaction.
"""

import os
import sys
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "upi_platform.settings.test")
django.setup()

from django.conf import settings
from django.core.management import call_command
from django.db import transaction

from apps.common import ids
from apps.messaging import outbox
from apps.messaging.contracts import Event, ReceivedEvent

TYPE = "payments.debit.posted"
GROUP = "bench"
CONSUMERS = {GROUP: {TYPE: "tests.benchmarks.outbox_process.apply"}}
_applied: list[tuple[float, float]] = []


def apply(event: ReceivedEvent) -> None:
    """Note when the event was meant to be published, and when its transaction has committed."""
    transaction.on_commit(lambda: _applied.append((event.data["meant_at"], time.monotonic())))


def publish(count: int, rate: float, size: int) -> None:
    """Publish facts of one subject each, in transactions of a size, each at its time."""
    begun = time.monotonic() + 0.2
    for number in range(0, count, size):
        meant_at = begun + number / rate
        time.sleep(max(0.0, meant_at - time.monotonic()))
        with transaction.atomic(durable=True):
            outbox.publish([_fact(meant_at) for _ in range(min(size, count - number))])


def _fact(meant_at: float) -> Event:
    txn_id = ids.new_upi_id("EXB")
    return Event(
        TYPE,
        txn_id,
        {
            "transaction_id": txn_id,
            "rrn": "632610000123",
            "amount_paise": 14950,
            "currency": "INR",
            "payer_address": "asha@exbank",
            "payee_address": "ravi@smplbank",
            "account_number_ending": "7890",
            "meant_at": meant_at,
        },
    )


def main() -> None:
    """Play a role until it is over, or until told to stop."""
    settings.MESSAGING_CHECK_EVENTS = False
    settings.MESSAGING_CONSUMERS = "tests.benchmarks.outbox_process.CONSUMERS"
    role, *words = sys.argv[1:]
    if role == "publish":
        publish(int(words[0]), float(words[1]), int(words[2]))
    elif role == "relay":
        call_command("relay_outbox")
    else:
        call_command("consume_events")
        lines = [f"{meant_at} {at}\n" for meant_at, at in _applied]
        Path(words[0]).write_text("".join(lines))


if __name__ == "__main__":
    # The handler is found by this module's name, and its notes are there.
    from tests.benchmarks import outbox_process

    outbox_process.main()
