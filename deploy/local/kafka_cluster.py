"""
The cluster inside librdkafka, hosted by this one process on real ports of 127.0.0.1.

It keeps everything in memory: a restart loses topics and offsets, which the outbox makes good.
Run as `python -m deploy.local.kafka_cluster RUN_FILE TOPIC:PARTITIONS…`; the run file gets the
addresses. The calls are librdkafka's src/rdkafka_mock.h, which promises no stable ABI: the package
is pinned to one version, and a test starts this cluster.
"""

import argparse
import ctypes
import importlib.util
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

BROKERS = 1
REPLICATION_FACTOR = 1
# librdkafka's own is 3000: every new consumer group would wait as long.
REBALANCE_DELAY_MS = 100
RD_KAFKA_PRODUCER = 0
ERROR_TEXT_BYTES = 512


def main(arguments: Sequence[str] | None = None) -> None:
    """Host the cluster until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.kafka_cluster")
    parser.add_argument("run_file", type=Path)
    parser.add_argument("topics", nargs="*", metavar="TOPIC:PARTITIONS")
    options = parser.parse_args(arguments)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    addresses = host(dict(_parse_topic(text) for text in options.topics))
    draft = options.run_file.with_suffix(".draft")
    draft.write_text(addresses)
    draft.replace(options.run_file)
    ended.wait()


def host(topics: dict[str, int]) -> str:
    """Begin to host the cluster in this process and return its bootstrap addresses."""
    library = _load()
    text = ctypes.create_string_buffer(ERROR_TEXT_BYTES)
    handle = library.rd_kafka_new(
        RD_KAFKA_PRODUCER, library.rd_kafka_conf_new(), text, ERROR_TEXT_BYTES
    )
    if not handle:
        raise RuntimeError(text.value.decode())
    cluster = library.rd_kafka_mock_cluster_new(handle, BROKERS)
    library.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, REBALANCE_DELAY_MS)
    for name, partitions in topics.items():
        code = library.rd_kafka_mock_topic_create(
            cluster, name.encode(), partitions, REPLICATION_FACTOR
        )
        if code != 0:
            message = f"topic {name} was not made: librdkafka error {code}"
            raise RuntimeError(message)
    addresses: bytes = library.rd_kafka_mock_cluster_bootstraps(cluster)
    return addresses.decode()


def _load() -> ctypes.CDLL:
    package = importlib.util.find_spec("confluent_kafka")
    assert package is not None
    assert package.origin is not None
    folder = Path(package.origin).parents[1] / "confluent_kafka.libs"
    library = ctypes.CDLL(str(next(folder.glob("librdkafka-*.so*"))))
    pointer, number, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    library.rd_kafka_conf_new.restype = pointer
    library.rd_kafka_new.restype = pointer
    library.rd_kafka_new.argtypes = [number, pointer, text, ctypes.c_size_t]
    library.rd_kafka_mock_cluster_new.restype = pointer
    library.rd_kafka_mock_cluster_new.argtypes = [pointer, number]
    library.rd_kafka_mock_cluster_bootstraps.restype = text
    library.rd_kafka_mock_cluster_bootstraps.argtypes = [pointer]
    library.rd_kafka_mock_topic_create.argtypes = [pointer, text, number, number]
    library.rd_kafka_mock_group_initial_rebalance_delay_ms.argtypes = [pointer, ctypes.c_int32]
    return library


def _parse_topic(text: str) -> tuple[str, int]:
    name, _, partitions = text.partition(":")
    return name, int(partitions)


if __name__ == "__main__":
    main()
