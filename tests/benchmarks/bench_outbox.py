# ruff: noqa: E402 - Django is set up before its models are imported
"""
Facts from the outbox to a consumer that has applied them: how many a second, and how late.

Publisher, relay and consumer are processes of their own, the last two the platform's commands. For
the throughput a queue is published first and then relayed; what counts is the time between the
first tenth applied and all of it. For the latency 1,000 facts a second are published in an open
loop, ten in a transaction, and each is timed from its intended instant to the commit of the
transaction that applied it. The baseline is the same cluster alone: messages of the same size
through it, from a producer to a reader. It is void unless published = applied, each once.
"""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "upi_platform.settings.test")

import django

django.setup()

import psycopg
from confluent_kafka import Consumer, Producer
from django.conf import settings
from django.core.management import call_command

from apps.messaging import event_types, kafka
from tests.benchmarks import conditions
from tests.benchmarks.ground import percentile
from tests.benchmarks.report import Row, report

ROOT = Path(__file__).resolve().parents[2]
QUEUED = conditions.count(100_000, quick=30_000)
RATE = 1000.0
SECONDS = conditions.seconds(20, quick=6)
WARM_UP_SECONDS = 2.0
TRANSACTION_EVENTS = 10
QUEUE_TRANSACTION_EVENTS = 500
WARM_PART = 0.1
APPLIED_SECONDS_MAX = 180.0
MESSAGE_BYTES = 520
RAW_SINGLE = 200


def main() -> int:
    """Measure, report, and return 0: what is void has ended before."""
    entry = settings.DATABASES["owner"]
    call_command("migrate", database="owner", verbosity=0)
    kafka.ensure_topics(event_types.topics())
    address = {"host": entry["HOST"], "port": entry["PORT"], "user": entry["USER"]}
    address |= {"password": entry["PASSWORD"], "dbname": entry["NAME"]}
    with psycopg.connect(**address, autocommit=True) as owner:
        conditions.require_durability(owner)
        per_second = statistics.median(
            _throughput(owner) for _ in range(conditions.count(3, quick=1))
        )
        latencies = _latencies(owner)
    raw_rate, raw_latencies = _raw()
    rows = [Row("outbox", per_second, "/s", raw_rate)]
    rows += [
        Row(
            f"outbox_p{percent}",
            percentile(latencies, percent) * 1000,
            "ms",
            percentile(raw_latencies, percent) * 1000,
        )
        for percent in (50, 99)
    ]
    report(f"Outbox to consumer applied: a queue of {QUEUED:,}, then {RATE:,.0f}/s", rows)
    return 0


def _throughput(owner: psycopg.Connection) -> float:
    """Return events a second, from the first tenth of a queue applied to all of it."""
    _empty(owner)
    _play("publish", QUEUED, 1e9, QUEUE_TRANSACTION_EVENTS).wait()
    owner.execute("VACUUM ANALYZE messaging_outboxevent")
    ends = sorted(at for _, at in _relayed(owner, QUEUED))
    warm = int(QUEUED * WARM_PART)
    return (QUEUED - warm) / (ends[-1] - ends[warm])


def _latencies(owner: psycopg.Connection) -> list[float]:
    """Return the seconds from an event's intended instant to its application."""
    _empty(owner)
    count = int(RATE * (WARM_UP_SECONDS + SECONDS))
    applied = sorted(_relayed(owner, count, rate=RATE))
    return [at - meant_at for meant_at, at in applied[int(RATE * WARM_UP_SECONDS) :]]


def _relayed(
    owner: psycopg.Connection, count: int, *, rate: float | None = None
) -> list[tuple[float, float]]:
    """Let relay and consumer work until all is applied; return when each was meant and applied."""
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "applied"
        with _running("consume", str(notes)), _running("relay"):
            if rate is not None:
                time.sleep(WARM_UP_SECONDS)
                assert _play("publish", count, rate, TRANSACTION_EVENTS).wait() == 0
            _await_applied(owner, count)
        return _applied(notes, count)


def _empty(owner: psycopg.Connection) -> None:
    owner.execute("TRUNCATE messaging_outboxevent, messaging_consumedevent")


def _await_applied(owner: psycopg.Connection, count: int) -> None:
    until = time.monotonic() + APPLIED_SECONDS_MAX
    while True:
        row = owner.execute("SELECT count(*) FROM messaging_consumedevent").fetchone()
        assert row is not None
        if row[0] == count:
            break
        if time.monotonic() > until:
            raise SystemExit(f"void: {count} were published, {row[0]} were applied")
        time.sleep(0.2)
    row = owner.execute(
        "SELECT count(*) FROM messaging_outboxevent WHERE published_at IS NOT NULL"
    ).fetchone()
    print(f"{count} published, {row and row[0]} marked, {count} applied")


def _applied(notes: Path, count: int) -> list[tuple[float, float]]:
    lines = [line.split() for line in notes.read_text().splitlines()]
    if len(lines) != count:
        raise SystemExit(f"void: {count} were published, a handler was called {len(lines)} times")
    return [(float(meant_at), float(at)) for meant_at, at in lines]


@contextmanager
def _running(role: str, *words: str) -> Iterator[None]:
    """Run a process until the block ends, and wait until it has stopped by itself."""
    process = _play(role, *words)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _play(role: str, *words: object) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.benchmarks.outbox_process", role, *map(str, words)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)


def _raw() -> tuple[float, list[float]]:
    """Return messages a second through the cluster alone, and the seconds of single ones."""
    topic = f"bench.raw{uuid.uuid4().hex[:8]}"
    kafka.ensure_topics([topic])
    producer, consumer = kafka.producer(), kafka.consumer(topic)
    consumer.subscribe([topic])
    value = bytes(MESSAGE_BYTES)
    _exchange(producer, consumer, topic, value, 100)
    begun = time.monotonic()
    _exchange(producer, consumer, topic, value, QUEUED)
    rate = QUEUED / (time.monotonic() - begun)
    latencies = []
    for _ in range(RAW_SINGLE):
        begun = time.monotonic()
        _exchange(producer, consumer, topic, value, 1)
        latencies.append(time.monotonic() - begun)
    consumer.close()
    return rate, latencies


def _exchange(producer: Producer, consumer: Consumer, topic: str, value: bytes, count: int) -> None:
    for number in range(count):
        producer.produce(topic, key=str(number).encode(), value=value)
        producer.poll(0)
    producer.flush()
    found = 0
    while found < count:
        found += len(consumer.consume(num_messages=min(count - found, 10_000), timeout=1.0))


if __name__ == "__main__":
    sys.exit(main())
