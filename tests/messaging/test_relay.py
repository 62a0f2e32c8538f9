"""The relay: every committed fact reaches Kafka, those of one subject in their order."""

import json
import threading
import uuid

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic
from django.db import connection, connections, transaction

from apps.messaging import kafka, outbox, selectors
from apps.messaging import relay as relay_module
from apps.messaging.contracts import Event
from apps.messaging.errors import RelayStoppedError
from apps.messaging.models import DeadLetter, KafkaCluster, OutboxEvent
from apps.messaging.relay import Relay
from tests.messaging import kafka_reader, processes
from tests.messaging.factory import at_once, happened, publish
from tests.messaging.handlers import TOPIC
from tests.messaging.kafka_reader import numbers, without_repeats

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("tables", "topic")]


@pytest.fixture(scope="session")
def topic():
    kafka.ensure_topics([TOPIC])


@pytest.fixture
def run():
    """A prefix of subjects that no other test has."""
    return uuid.uuid4().hex


@pytest.fixture
def relay():
    relay = Relay()
    yield relay
    relay.close()


def work_all(relay: Relay) -> int:
    done = 0
    while size := relay.work():
        done += size
    return done


def test_a_fact_is_published_and_marked(relay, run):
    publish(happened(run, 7))

    assert work_all(relay) == 1

    (message,) = kafka_reader.read(run, count=1)
    event = OutboxEvent.objects.get()
    members = json.loads(message.value())
    assert event.published_at is not None
    assert message.key().decode() == run
    assert dict(message.headers())["content-type"].startswith(b"application/cloudevents+json")
    assert members == {
        "specversion": "1.0",
        "id": str(event.pk),
        "source": "urn:upi-platform:900001",
        "type": f"{TOPIC}.happened",
        "subject": run,
        "time": members["time"],
        "datacontenttype": "application/json",
        "sequence": f"{event.sequence:020d}",
        "data": {"number": 7},
    }


def test_nothing_due_is_no_work(relay):
    assert relay.work() == 0
    assert not relay.is_behind


def test_after_a_full_batch_there_may_be_more(relay, run, monkeypatch):
    monkeypatch.setattr(relay_module, "BATCH_EVENTS_MAX", 2)
    publish(*(happened(run, number) for number in range(3)))

    looked = [(relay.work(), relay.is_behind) for _ in range(2)]

    assert looked == [(2, True), (1, False)]


def test_facts_of_a_subject_keep_their_order(relay, run):
    publish(*(happened(f"{run}{number % 3}", number) for number in range(60)))

    work_all(relay)

    found = numbers(kafka_reader.read(run, count=60))
    assert found == {f"{run}{number}": list(range(number, 60, 3)) for number in range(3)}


def test_a_transaction_that_commits_late_is_not_passed_over(relay, run):
    early_has_begun, late_may_commit = threading.Event(), threading.Event()

    def commit_late() -> None:
        with transaction.atomic():
            outbox.publish([happened(f"{run}late", 1)])
            early_has_begun.set()
            late_may_commit.wait(10)
        connections.close_all()

    thread = threading.Thread(target=commit_late)
    thread.start()
    early_has_begun.wait(10)
    publish(happened(f"{run}early", 2))
    assert work_all(relay) == 1

    late_may_commit.set()
    thread.join()

    assert work_all(relay) == 1
    found = numbers(kafka_reader.read(run, count=2))
    assert found == {f"{run}early": [2], f"{run}late": [1]}


def test_several_relays_side_by_side_keep_order_and_lose_nothing(run):
    subjects, turns = 30, 20
    for turn in range(turns):
        publish(*(happened(f"{run}{subject}", turn) for subject in range(subjects)))

    def work(_number: int) -> None:
        relay = Relay()
        while OutboxEvent.objects.filter(published_at__isnull=True).exists():
            relay.work()
        relay.close()

    at_once(3, work)

    found = numbers(kafka_reader.read(run, count=subjects * turns))
    assert len(found) == subjects
    for values in found.values():
        assert without_repeats(values) == list(range(turns))


@pytest.mark.parametrize(
    ("point", "copies"), [("relay.claimed", 1), ("relay.sent", 2), ("relay.marked", 1)]
)
def test_a_killed_relay_loses_nothing(relay, run, point, copies):
    publish(happened(run, 1), happened(run, 2))

    code = processes.run("call_command('relay_outbox', once=True)", FAULT_AT=point)
    assert code == -9
    assert relay.work() == 0, "the dead relay's claim must end first"
    _end_claims()
    work_all(relay)

    found = numbers(kafka_reader.read(run, count=2 * copies))
    assert found == {run: [1, 2] * copies}
    assert selectors.oldest_unpublished_seconds() == 0


def test_a_fact_that_kafka_does_not_carry_is_parked_and_its_neighbours_go(relay, run):
    publish(happened(run, 1), happened(run, 2), happened(f"{run}x", 3))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_outboxevent SET data = jsonb_build_object('number', 2, 'text', "
            "repeat('x', 2000000)) WHERE data ->> 'number' = '2'"
        )

    work_all(relay)

    assert numbers(kafka_reader.read(run, count=2)) == {run: [1], f"{run}x": [3]}
    letter = DeadLetter.objects.get()
    assert (letter.source, letter.subject, letter.owner) == ("outbox", run, "platform")
    assert OutboxEvent.objects.get(pk=letter.item_id).parked_at is not None
    assert selectors.oldest_unpublished_seconds() == 0


def test_a_fact_that_the_broker_refuses_is_found_among_its_neighbours_and_parked(relay, run):
    topic = NewTopic(
        "messaging.small",
        num_partitions=1,
        replication_factor=1,
        config={"max.message.bytes": "3000"},
    )
    admin = AdminClient({"bootstrap.servers": kafka.settings.KAFKA_BOOTSTRAP_SERVERS})
    try:
        admin.create_topics([topic], request_timeout=3)["messaging.small"].result()
    except KafkaException as error:
        if kafka.error_of(error).code() != KafkaError.TOPIC_ALREADY_EXISTS:
            pytest.skip("this kind of cluster has no limits of its own")
    texts = ["a", "x" * 20_000, "b"]
    publish(*(Event("messaging.small.said", f"{run}{text[0]}", {"text": text}) for text in texts))

    work_all(relay)

    assert DeadLetter.objects.get().subject == f"{run}x"
    published = OutboxEvent.objects.filter(published_at__isnull=False)
    assert {event.subject for event in published} == {f"{run}a", f"{run}b"}
    assert relay.work() == 0


def test_a_cluster_that_is_away_leaves_everything_due(run, settings, monkeypatch):
    publish(happened(run, 1))
    bootstrap = settings.KAFKA_BOOTSTRAP_SERVERS
    settings.KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:1"
    monkeypatch.setattr(kafka, "REQUEST_SECONDS", 0.5)
    relay = Relay()

    with pytest.raises((KafkaException, RelayStoppedError)):
        relay.work()
    relay.close()

    assert OutboxEvent.objects.get().published_at is None
    settings.KAFKA_BOOTSTRAP_SERVERS = bootstrap
    _end_claims()
    back = Relay()
    work_all(back)
    back.close()
    assert numbers(kafka_reader.read(run, count=1)) == {run: [1]}


def test_the_command_relays_until_it_is_told_to_stop(run):
    process = processes.start("call_command('relay_outbox')")
    try:
        publish(happened(run, 1))
        found = numbers(kafka_reader.read(run, count=1))
    finally:
        process.terminate()
    _, errors = process.communicate(timeout=100)

    assert found == {run: [1]}, errors
    assert process.returncode == 0, errors


def test_the_cluster_is_remembered_and_stays_the_same(relay, run):
    publish(happened(run, 1))
    work_all(relay)
    relay.close()
    publish(happened(run, 2))
    work_all(relay)

    assert KafkaCluster.objects.count() == 1
    assert numbers(kafka_reader.read(run, count=2)) == {run: [1, 2]}


def _end_claims() -> None:
    """Let the leases of the dead end now instead of in ten seconds."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE messaging_outboxshard SET next_action_at = clock_timestamp()")
