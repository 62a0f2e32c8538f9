"""Consumers: whatever dies between effect and offset, each fact is applied once."""

import threading
import time
import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from apps.messaging import consuming, inbox, kafka, refill, selectors
from apps.messaging.models import DeadLetter
from apps.messaging.relay import Relay
from tests.messaging import processes
from tests.messaging.factory import happened, publish
from tests.messaging.handlers import CONSUMERS, TOPIC, effects

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("tables", "topic")]


@pytest.fixture(scope="session")
def topic():
    kafka.ensure_topics([TOPIC])


@pytest.fixture
def run() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def consumer(run) -> Iterator[str]:
    """A consumer group of this test alone, at work in a thread."""
    stopped = threading.Event()
    thread = threading.Thread(
        target=consuming.run, args=(run, CONSUMERS["test"]), kwargs={"stopped": stopped}
    )
    thread.start()
    yield run
    stopped.set()
    thread.join(20)


def relay_all() -> None:
    relay = Relay()
    while relay.work():
        pass
    relay.close()


def wait_for(subject: str, count: int, *, seconds: float = 120) -> list[int]:
    until = time.monotonic() + seconds
    while len(effects(subject)) < count and time.monotonic() < until:
        time.sleep(0.05)
    return effects(subject)


def test_published_facts_are_applied_in_their_order(consumer, run):
    publish(*(happened(run, number) for number in range(20)))

    relay_all()

    assert wait_for(run, 20) == list(range(20))


def test_a_fact_that_kafka_has_twice_is_applied_once(consumer, run):
    publish(happened(run, 1))
    relay_all()
    wait_for(run, 1)

    refill.unpublish(hours=1)
    relay_all()
    publish(happened(run, 2))
    relay_all()

    assert wait_for(run, 2) == [1, 2]


def test_a_consumer_killed_before_its_offset_applies_once(run, tmp_path):
    publish(happened(run, 1), happened(run, 2))
    relay_all()
    code = (
        "settings.MESSAGING_CONSUMERS = 'tests.messaging.test_consuming.GROUPS'\n"
        "import tests.messaging.test_consuming as module\n"
        f"module.GROUPS = {{'{run}': module.CONSUMERS['test']}}\n"
        "call_command('consume_events')\n"
    )

    fault = {"FAULT_AT": f"consumer.applied:{tmp_path / 'died'}"}
    assert processes.run(code, **fault) == -9
    publish(happened(run, 3))
    relay_all()
    process = processes.start(code, **fault)
    try:
        applied = wait_for(run, 3)
    finally:
        process.terminate()
    _, errors = process.communicate(timeout=100)

    assert applied == [1, 2, 3]
    assert process.returncode == 0, errors


def test_a_message_that_is_no_event_is_parked_and_the_partition_flows(consumer, run, monkeypatch):
    monkeypatch.setattr(inbox, "ATTEMPT_PAUSE_SECONDS", 0)
    producer = Producer({"bootstrap.servers": kafka.settings.KAFKA_BOOTSTRAP_SERVERS})
    producer.produce(TOPIC, key=f"{run}bad".encode(), value=b"\xff not json")
    producer.flush(10)
    publish(happened(run, 1), happened(f"{run}poison", 2, kind="failed"), happened(run, 3))

    relay_all()

    assert wait_for(run, 2) == [1, 3]
    letters = DeadLetter.objects.filter(source=run, subject__startswith=run)
    until = time.monotonic() + 60
    while letters.count() < 2 and time.monotonic() < until:
        time.sleep(0.05)
    reasons = set(letters.values_list("subject", "reason"))
    assert reasons == {
        (f"{run}bad", "the message is not JSON"),
        (f"{run}poison", "ValueError: this event is poison"),
    }
    assert {f"{run}bad", f"{run}poison"} <= set(selectors.parked_subjects(run))


GROUPS: dict[str, dict[str, str]] = {}
