"""Kafka: the environment's, else Apache Kafka by Maven, else the cluster inside librdkafka."""

import sys

from deploy.local import children, console, environment, kafka_apache
from deploy.local.directory import REPOSITORY, LocalDirectory
from deploy.local.errors import NotAvailableError
from deploy.local.ports import Ports
from deploy.local.server import External, Server

READY_SECONDS = 30.0
PARTITIONS = 12
EVENTS = REPOSITORY / "docs" / "events"
KINDS = ("apache", "librdkafka")


def find(directory: LocalDirectory, ports: Ports) -> Server:
    """Return the cluster the environment names, else the best kind this machine can run."""
    given = environment.inherited()
    addresses = given.get("KAFKA_BOOTSTRAP_SERVERS")
    if addresses:
        return External("kafka", {"KAFKA_BOOTSTRAP_SERVERS": addresses})
    forced = given.get("KAFKA", "")
    if forced and forced not in KINDS:
        message = f"KAFKA is {forced!r}: set it to apache or librdkafka, or leave it out"
        raise NotAvailableError(message)
    if forced == "librdkafka":
        return LibrdkafkaCluster(directory)
    try:
        libraries = kafka_apache.find_libraries(directory, retry=forced == "apache")
    except NotAvailableError as error:
        if forced == "apache":
            raise
        console.complain(f"{error}; librdkafka's cluster takes its place")
        return LibrdkafkaCluster(directory)
    return kafka_apache.ApacheKafka(directory, ports, libraries=libraries, topics=topics())


def topics() -> dict[str, int]:
    """
    Return the topics of all public events with their partitions: a type's first two words.

    They are made before anybody asks, so that a consumer never meets an unknown topic.
    """
    names = sorted({".".join(path.stem.split(".")[:2]) for path in EVENTS.glob("*.json")})
    return dict.fromkeys(names, PARTITIONS)


class LibrdkafkaCluster:
    """The cluster of the confluent-kafka package, in one process of ours; it keeps nothing."""

    name = "kafka"
    origin = "librdkafka's cluster of package confluent-kafka"

    def __init__(self, directory: LocalDirectory) -> None:
        self._directory = directory
        self._addresses = directory.run / "kafka.addresses"
        self._log = directory.logs / "kafka.log"
        self._child: children.Child | None = None
        self._address = ""

    def launch(self) -> None:
        """Start the process that hosts the cluster."""
        record = self._directory.run / "kafka.json"
        children.end_leftover(record)
        self._addresses.unlink(missing_ok=True)
        made = [f"{name}:{partitions}" for name, partitions in topics().items()]
        plan = children.Plan(
            name=self.name,
            command=[
                *(sys.executable, "-m", "deploy.local.kafka_cluster"),
                *(str(self._addresses), *made),
            ],
            environment={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY)},
            cwd=REPOSITORY,
            record=record,
            grace_seconds=5.0,
        )
        with self._log.open("ab") as output:
            self._child = children.start(plan, output=output)

    def wait_until_ready(self) -> None:
        """Wait until the address is known."""
        assert self._child is not None
        ready = self._addresses.exists
        children.wait_until_ready(self._child, ready, seconds=READY_SECONDS, log=self._log)
        self._address = self._addresses.read_text()

    def environment(self) -> dict[str, str]:
        """Return the address, another one at every start."""
        return {"KAFKA_BOOTSTRAP_SERVERS": self._address}

    def is_running(self) -> bool:
        """Tell whether the host process lives."""
        return self._child is not None and self._child.exit_code() is None

    def pid(self) -> int | None:
        """Return the server process."""
        return self._child.pid if self._child is not None else None

    def stop(self) -> None:
        """End the cluster and all it held."""
        if self._child is not None:
            self._child.stop()
            self._child = None
        self._addresses.unlink(missing_ok=True)
