"""A Kafka cluster that loses everything gets it again, and consumers apply nothing twice."""

import subprocess
import sys
import time
import uuid

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.messaging.models import OutboxEvent
from apps.messaging.relay import Relay
from tests.messaging import kafka_reader
from tests.messaging.factory import happened, publish
from tests.messaging.handlers import TOPIC
from tests.messaging.kafka_reader import numbers
from tests.messaging.processes import ROOT

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("tables")]


class Cluster:
    """librdkafka's cluster, which keeps everything in memory, as a process that can be lost."""

    def __init__(self, folder, settings):
        self.settings = settings
        self.addresses = folder / "addresses"
        self.process = None

    def start(self):
        self.addresses.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "deploy.local.kafka_cluster"),
                *(str(self.addresses), f"{TOPIC}:4"),
            ],
            cwd=ROOT,
        )
        until = time.monotonic() + 100
        while not self.addresses.exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        self.settings.KAFKA_BOOTSTRAP_SERVERS = self.addresses.read_text()

    def lose(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def cluster(tmp_path, settings):
    cluster = Cluster(tmp_path, settings)
    cluster.start()
    yield cluster
    cluster.lose()


@pytest.fixture
def run():
    return uuid.uuid4().hex


def relay_all():
    relay = Relay()
    while relay.work():
        pass
    relay.close()


def test_what_was_not_confirmed_and_what_was_lost_is_published_again_in_order(cluster, run):
    publish(happened(run, 1), happened(run, 2))
    relay_all()
    cluster.lose()
    publish(happened(run, 3))
    cluster.start()

    relay_all()

    assert numbers(kafka_reader.read(run, count=3)) == {run: [1, 2, 3]}


def test_the_outbox_refills_kafka_when_an_operator_asks(cluster, run):
    publish(happened(run, 1), happened(run, 2))
    relay_all()

    call_command("replay_events", from_outbox=True)
    relay_all()

    assert numbers(kafka_reader.read(run, count=4)) == {run: [1, 2, 1, 2]}


def test_only_what_was_published_in_the_hours_asked_for_goes_again(cluster, run):
    publish(happened(run, 1), happened(run, 2))
    relay_all()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_outboxevent SET published_at = published_at - interval '3 hours'"
            " WHERE data ->> 'number' = '1'"
        )

    call_command("replay_events", from_outbox=True, hours=2)

    assert OutboxEvent.objects.get(published_at__isnull=True).data == {"number": 2}


@pytest.mark.parametrize("hours", [0, -1, 720])
def test_hours_that_consumers_do_not_remember_are_refused(hours):
    with pytest.raises(CommandError, match="--hours"):
        call_command("replay_events", from_outbox=True, hours=hours)
