"""Both kinds of Kafka carry a message from a producer to a consumer."""

import os
import shutil

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient

from deploy.local import environment, kafka, kafka_apache
from deploy.local.errors import NotAvailableError
from deploy.local.ports import Ports
from deploy.local.servers import Servers

needs_maven = pytest.mark.skipif(
    not shutil.which("mvn"), reason="Apache Kafka comes by Maven: apt-get install maven"
)
needs_java = pytest.mark.skipif(
    not shutil.which("java"),
    reason="Apache Kafka runs on Java: apt-get install openjdk-17-jre-headless",
)
TOPIC = "merchants.order"
MESSAGES = {b"key-1": b"one", b"key-2": b"two"}
WAIT_SECONDS = 20.0


def test_librdkafkas_cluster_carries_messages(directory, monkeypatch):
    force(monkeypatch, "librdkafka")

    with Servers(directory, ["kafka"]) as servers:
        assert servers.origins() == {"kafka": kafka.LibrdkafkaCluster.origin}
        address = servers.environment()["KAFKA_BOOTSTRAP_SERVERS"]

        assert topics(address) >= kafka.topics().items()
        assert carried(address) == MESSAGES


@needs_maven
def test_apache_kafka_carries_messages_and_keeps_them(directory, monkeypatch):
    force(monkeypatch, "apache")

    with Servers(directory, ["kafka"]) as servers:
        assert servers.origins() == {"kafka": kafka_apache.ApacheKafka.origin}
        address = servers.environment()["KAFKA_BOOTSTRAP_SERVERS"]
        assert topics(address) >= kafka.topics().items()
        produce(address)

    with Servers(directory, ["kafka"]) as servers:
        assert servers.environment()["KAFKA_BOOTSTRAP_SERVERS"] == address
        assert consumed(address) == MESSAGES


def test_an_unknown_kind_is_refused(directory, monkeypatch):
    force(monkeypatch, "rabbit")

    with pytest.raises(
        NotAvailableError, match="KAFKA is 'rabbit': set it to apache or librdkafka"
    ):
        kafka.find(directory, Ports(directory.ports_file))


def test_a_forced_apache_that_cannot_be_had_is_not_replaced(directory, monkeypatch):
    force(monkeypatch, "apache")
    monkeypatch.setattr(kafka_apache.shutil, "which", lambda _: None)

    with pytest.raises(NotAvailableError, match="apt-get install openjdk-17-jre-headless"):
        kafka.find(directory, Ports(directory.ports_file))


@needs_java
def test_a_failed_download_is_not_tried_again_at_every_start(directory, tmp_path, monkeypatch):
    force(monkeypatch, "", UPI_CACHE_DIR=str(tmp_path / "cache"))
    journal = tmp_path / "journal"
    maven = tmp_path / "mvn"
    maven.write_text(f"#!/bin/sh\necho tried >> {journal}\nexit 1\n")
    maven.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    for _ in range(2):
        with pytest.raises(NotAvailableError, match="Apache Kafka could not be downloaded"):
            kafka_apache.find_libraries(directory, retry=False)

    assert journal.read_text() == "tried\n"


def force(monkeypatch, kind, **more):
    given = environment.inherited() | {"KAFKA": kind, **more}
    monkeypatch.setattr(environment, "inherited", lambda: dict(given))


def topics(address):
    """Return each topic and its number of partitions."""
    known = AdminClient({"bootstrap.servers": address}).list_topics(timeout=WAIT_SECONDS).topics
    return {name: len(topic.partitions) for name, topic in known.items()}.items()


def carried(address):
    produce(address)
    return consumed(address)


def produce(address):
    producer = Producer({"bootstrap.servers": address, "enable.idempotence": True, "acks": "all"})
    for key, value in MESSAGES.items():
        producer.produce(TOPIC, key=key, value=value)
    assert producer.flush(WAIT_SECONDS) == 0


def consumed(address):
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": "test",
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 10,
        }
    )
    consumer.subscribe([TOPIC])
    found = {}
    try:
        while len(found) < len(MESSAGES):
            message = consumer.poll(WAIT_SECONDS)
            assert message is not None
            assert message.error() is None
            found[message.key()] = message.value()
    finally:
        consumer.close()
    return found
