"""Apache Kafka 4 in KRaft mode, its jars fetched by Maven once for all data directories."""

import base64
import fcntl
import hashlib
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.local import children, console
from deploy.local.directory import LocalDirectory
from deploy.local.errors import NotAvailableError, NotReadyError
from deploy.local.ports import HOST, Ports, is_free

VERSION = "4.4.0"
JAVA_MIN = 17
READY_SECONDS = 60.0
DOWNLOAD_SECONDS = 120.0
# After a download that failed, a start does not wait for another one for so long.
RETRY_AFTER_SECONDS = 3600.0
PREFERRED_PORT = 29092
REQUEST_SECONDS = 5.0
JAVA_OPTIONS = (
    "-Xms128m",
    "-Xmx512m",
    # For a short life on two cores: a quick start matters more than the last per cent of speed.
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
)

POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
      <version>{VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
"""


def find_libraries(directory: LocalDirectory, *, retry: bool) -> Path:
    """
    Return the folder of Kafka's jars, fetched now if need be.

    Raises NotAvailableError when Java or Maven is missing or the download fails; unless `retry`,
    also when it failed a short while ago.
    """
    _require_java()
    libraries = directory.cache / f"kafka-{VERSION}"
    failed = directory.cache / "kafka.failed"
    with (directory.cache / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if libraries.exists():
            return libraries
        if failed.exists() and not retry:
            age_seconds = time.time() - failed.stat().st_mtime
            if age_seconds < RETRY_AFTER_SECONDS:
                message = "Apache Kafka could not be downloaded a short while ago"
                raise NotAvailableError(message)
        failed.touch()
        _download(libraries, log=directory.logs / "kafka-download.log")
        failed.unlink()
    return libraries


class ApacheKafka:
    """One broker that is its own controller."""

    name = "kafka"
    origin = f"Apache Kafka {VERSION} by Maven"

    def __init__(
        self,
        directory: LocalDirectory,
        ports: Ports,
        *,
        libraries: Path,
        topics: Mapping[str, int],
    ) -> None:
        self._directory = directory
        self._ports = ports
        self._libraries = libraries
        self._topics = topics
        self._log = directory.logs / "kafka.log"
        self._child: children.Child | None = None
        self._port = 0

    def launch(self) -> None:
        """Recover from a crashed run, format the storage at the first start, start the broker."""
        children.end_leftover(self._directory.run / "kafka.json")
        self._port = self._ports.take(self.name, preferred=PREFERRED_PORT)
        controller = self._ports.take("kafka.controller", preferred=PREFERRED_PORT + 1)
        configuration = self._directory.run / "kafka.properties"
        configuration.write_text(self._configuration(controller_port=controller))
        if not (self._data / "meta.properties").exists():
            self._format(configuration)
        plan = children.Plan(
            name=self.name,
            command=self._java("kafka.Kafka", str(configuration)),
            environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            record=self._directory.run / "kafka.json",
            grace_seconds=20.0,
        )
        with self._log.open("ab") as output:
            self._child = children.start(plan, output=output)

    def wait_until_ready(self) -> None:
        """Wait until the broker answers, then make the topics."""
        assert self._child is not None
        children.wait_until_ready(self._child, self._answers, seconds=READY_SECONDS, log=self._log)
        admin = self._admin()
        there = admin.list_topics(timeout=REQUEST_SECONDS).topics
        missing = [
            NewTopic(name, num_partitions=partitions, replication_factor=1)
            for name, partitions in self._topics.items()
            if name not in there
        ]
        for made in admin.create_topics(missing).values() if missing else ():
            made.result(READY_SECONDS)

    def environment(self) -> dict[str, str]:
        """Return the address."""
        return {"KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{self._port}"}

    def is_running(self) -> bool:
        """Tell whether the broker lives."""
        return self._child is not None and self._child.exit_code() is None

    def pid(self) -> int | None:
        """Return the server process."""
        return self._child.pid if self._child is not None else None

    def stop(self) -> None:
        """Shut the broker down."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    @property
    def _data(self) -> Path:
        return self._directory.data("kafka") / "log"

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": f"{HOST}:{self._port}", "log_level": 0})

    def _answers(self) -> bool:
        if is_free(self._port):
            return False
        try:
            return bool(self._admin().list_topics(timeout=REQUEST_SECONDS).brokers)
        except KafkaException:
            return False

    def _java(self, main: str, *arguments: str) -> list[str]:
        jars = str(self._libraries / "*")
        return [_java_binary(), *JAVA_OPTIONS, "-cp", jars, main, *arguments]

    def _format(self, configuration: Path) -> None:
        shutil.rmtree(self._data, ignore_errors=True)
        command = self._java(
            *("kafka.tools.StorageTool", "format", "-t", self._cluster_id()),
            *("-c", str(configuration)),
        )
        with self._log.open("ab") as output:
            finished = subprocess.run(
                command, stdout=output, stderr=output, check=False, timeout=READY_SECONDS
            )
        if finished.returncode != 0:
            message = f"Kafka's storage could not be formatted: see {self._log}"
            raise NotReadyError(message)

    def _cluster_id(self) -> str:
        """Return 22 characters of base64url, of which the first must not look like an option."""
        digest = hashlib.sha256(self._directory.secret("kafka.cluster").encode()).digest()
        return "k" + base64.urlsafe_b64encode(digest)[:21].decode()

    def _configuration(self, *, controller_port: int) -> str:
        return f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{HOST}:{controller_port}
listeners=PLAINTEXT://{HOST}:{self._port},CONTROLLER://{HOST}:{controller_port}
advertised.listeners=PLAINTEXT://{HOST}:{self._port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={self._data}
num.partitions=12
num.network.threads=1
num.io.threads=2
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
"""


def _java_binary() -> str:
    java = shutil.which("java")
    if java is None:
        message = f"Java {JAVA_MIN} or later is missing: apt-get install openjdk-17-jre-headless"
        raise NotAvailableError(message)
    return java


def _require_java() -> None:
    version = subprocess.run(
        [_java_binary(), "-version"], capture_output=True, text=True, check=False
    ).stderr
    found = re.search(r'version "(\d+)', version)
    if found is None or int(found.group(1)) < JAVA_MIN:
        message = f"Java {JAVA_MIN} or later is missing: apt-get install openjdk-17-jre-headless"
        raise NotAvailableError(message)


def _download(libraries: Path, *, log: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        message = "Maven is missing: apt-get install maven"
        raise NotAvailableError(message)
    console.complain(f"downloading Apache Kafka {VERSION} by Maven, once (43 MB)")
    draft = libraries.with_name(f"{libraries.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    (draft / "pom.xml").write_text(POM)
    command = [maven, "-B", "dependency:copy-dependencies", f"-DoutputDirectory={draft / 'jars'}"]
    begun = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=draft, stdout=output, stderr=output)
        while process.poll() is None and time.monotonic() - begun < DOWNLOAD_SECONDS:
            time.sleep(0.5)
    if process.poll() is None:
        process.kill()
    if process.wait() != 0:
        message = f"Apache Kafka could not be downloaded (see {log}): check the network for Maven"
        raise NotAvailableError(message)
    (draft / "jars").rename(libraries)
    shutil.rmtree(draft)
    console.complain(f"downloaded Apache Kafka in {time.monotonic() - begun:.0f} s")
