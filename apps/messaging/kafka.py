"""
Clients of the Kafka cluster, with the settings that our promises need.

The same settings hold for Apache Kafka and for the cluster inside librdkafka. Clients start
threads: make them after a fork, in the process that uses them.
"""

import logging
from collections.abc import Collection

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from django.conf import settings

REQUEST_SECONDS = 3.0
TOPIC_PARTITIONS = 12
MESSAGE_BYTES_MAX = 1_000_000
# A refusal of the message itself: sent again it is refused again. Anything else is an outage.
REFUSALS = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_RECORD,
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.TOPIC_EXCEPTION,
        KafkaError._INVALID_ARG,  # noqa: SLF001 - librdkafka's own errors are named so
    }
)

_log = logging.getLogger("kafka")
# librdkafka calls the guarantee that our order rests on experimental, once per producer.
_log.addFilter(lambda record: "enable.gapless.guarantee is experimental" not in record.getMessage())


def producer() -> Producer:
    """
    Return a producer that keeps order and confirms only what all replicas have.

    It never gives a message up by itself (`message.timeout.ms` 0): the relay sets the limit, and
    then throws the producer away, so that nothing overtakes what was not confirmed.
    """
    return Producer(
        {
            **_common(),
            "enable.idempotence": True,
            "acks": "all",
            "enable.gapless.guarantee": True,
            "message.timeout.ms": 0,
            "message.max.bytes": MESSAGE_BYTES_MAX,
            "linger.ms": 1,
            # The partitioner of Java's clients, so that others who produce agree with us.
            "partitioner": "murmur2_random",
        },
        logger=_log,
    )


def consumer(group: str) -> Consumer:
    """
    Return a member of a consumer group that commits offsets only when told.

    A new group begins with the oldest message there is: what it has applied it knows by id.
    """
    return Consumer(
        {
            **_common(),
            "group.id": group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "partition.assignment.strategy": "cooperative-sticky",
            # A member that died must not keep its partitions for the default 45 s.
            "session.timeout.ms": 6000,
            "heartbeat.interval.ms": 2000,
            # librdkafka's cluster waits the whole time when there is nothing to fetch.
            "fetch.wait.max.ms": 10,
            "allow.auto.create.topics": True,
        },
        logger=_log,
    )


def ensure_topics(names: Collection[str]) -> None:
    """
    Make the topics that do not exist.

    Where the cluster does not take such requests (librdkafka's), its own first use makes them.
    """
    admin = AdminClient(_common(), logger=_log)
    there = admin.list_topics(timeout=REQUEST_SECONDS).topics
    missing = [
        NewTopic(name, num_partitions=TOPIC_PARTITIONS, replication_factor=-1)
        for name in names
        if name not in there
    ]
    if not missing:
        return
    made = admin.create_topics(
        missing, operation_timeout=REQUEST_SECONDS, request_timeout=REQUEST_SECONDS
    )
    for name, future in made.items():
        try:
            future.result()
        except KafkaException as error:
            _log.info("topic %s was not made: %s", name, error_of(error).name())


def cluster_id(client: Producer) -> str:
    """
    Return the identity of the cluster behind a client; another one has none of our messages.

    Raises KafkaException when no broker answers.
    """
    return str(client.list_topics(timeout=REQUEST_SECONDS).cluster_id or "")


def error_of(exception: KafkaException) -> KafkaError:
    """Return what the client says went wrong."""
    error = exception.args[0]
    if isinstance(error, KafkaError):
        return error
    return KafkaError(KafkaError._FAIL, str(error))  # noqa: SLF001


def poll(client: Producer, seconds: float) -> None:
    """
    Hand out what Kafka has said about messages.

    Once a producer has failed for good, that is told here too, as an exception beside what it says
    of each message; only the latter counts.
    """
    try:
        client.poll(seconds)
    except KafkaException as exception:
        error = error_of(exception)
        if not error.fatal():
            raise
        _log.warning("the producer has failed: %s", error.str())


def _common() -> dict[str, str | int | float | bool]:
    return {
        "bootstrap.servers": settings.KAFKA_BOOTSTRAP_SERVERS,
        "client.id": "upi-platform",
        # A topic made a moment ago, a broker that moved: seen within two seconds.
        "topic.metadata.refresh.interval.ms": 2000,
        "reconnect.backoff.max.ms": 2000,
        "socket.timeout.ms": 10_000,
        "log.connection.close": False,
    }
