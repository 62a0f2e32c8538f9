"""What the servers hold at the end of a run, and what they wrote in the course of it."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from psycopg import sql
from redis import Redis

from deploy.local import postgres
from deploy.local.directory import LocalDirectory

# More than any run writes: the search says so when the first of it is gone all the same.
WAL_KEPT = "16GB"
WAL_PAGE_BYTES = 8192
WAL_READ_BYTES = 4 << 20
# XLogPageHeaderData and XLogLongPageHeaderData: PostgreSQL, src/include/access/xlog_internal.h.
WAL_HEADER_BYTES = 24
WAL_LONG_HEADER_BYTES = 40
WAL_LONG_HEADER = 0x0002
KAFKA_SECONDS = 30.0
REDIS_SECONDS = 20.0
REDIS_DATABASES = range(16)
# A folder since Redis 7, a file before.
AOF_NAMES = ("appendonlydir", "appendonly.aof")


class Cluster:
    """The PostgreSQL server of the tests, as its superuser."""

    def __init__(self, directory: LocalDirectory, *, owner_url: str) -> None:
        parts = urlsplit(owner_url)
        password = directory.secret(f"postgres.{postgres.SUPERUSER}")
        place = f"{postgres.SUPERUSER}:{password}@{parts.hostname}:{parts.port}"
        self._url = urlunsplit((parts.scheme, place, "/postgres", "", ""))

    def keep_wal(self) -> str:
        """Keep every segment from now on, and return the name of the first."""
        self._change(sql.SQL("ALTER SYSTEM SET wal_keep_size = {}").format(WAL_KEPT))
        assert self._value("SHOW wal_compression") == "off", "what is compressed is not found"
        return self.wal_segment()

    def keep_wal_no_longer(self) -> None:
        """Let the server recycle its segments again."""
        self._change(sql.SQL("ALTER SYSTEM RESET wal_keep_size"))

    def wal_segment(self) -> str:
        """Return the name of the segment that is being written."""
        return str(self._value("SELECT pg_walfile_name(pg_current_wal_insert_lsn())"))

    def wal(self, *, since: str) -> Iterator[bytes]:
        """
        Yield what was written from a segment on, without the headers of the pages.

        A record goes on over the end of a page, and a canary in it would be in two parts.
        """
        # It begins a new segment, so all there is to read has been written out.
        self._value("SELECT pg_switch_wal()")
        folder = Path(str(self._value("SHOW data_directory"))) / "pg_wal"
        last = self.wal_segment()
        names = sorted(file.name for file in folder.iterdir() if len(file.name) == len(since))
        wanted = [name for name in names if since <= name <= last]
        assert wanted[0] == since, "the first segments of the run are gone"
        for name in wanted:
            with (folder / name).open("rb") as segment:
                while pages := segment.read(WAL_READ_BYTES):
                    yield without_page_headers(pages)

    def databases(self) -> list[str]:
        """Return the names of all databases."""
        with psycopg.connect(self._url) as connection:
            rows = connection.execute(
                "SELECT datname FROM pg_database WHERE datallowconn AND datname <> 'template0'"
            )
            return [name for (name,) in rows]

    def dump(self, database: str, *, to: Path) -> Path:
        """Dump a database as a backup would: without what unlogged tables hold."""
        program = postgres.find_binaries()[0] / "pg_dump"
        command = [
            str(program),
            "--no-unlogged-table-data",
            "--no-password",
            "-d",
            self.url(database),
        ]
        with to.open("wb") as output:
            subprocess.run(command, stdout=output, check=True, env={"PATH": os.environ["PATH"]})
        return to

    def rows(self, database: str, query: str) -> list[tuple[Any, ...]]:
        """Return what a query finds in a database."""
        with psycopg.connect(self.url(database)) as connection:
            return connection.execute(query).fetchall()

    def url(self, database: str) -> str:
        """Return the superuser's address of a database."""
        return postgres.at_database(self._url, database)

    def _value(self, query: str) -> object:
        with psycopg.connect(self._url, autocommit=True) as connection:
            row = connection.execute(query).fetchone()
            assert row is not None
            return row[0]

    def _change(self, statement: sql.Composable) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(statement)
            connection.execute("SELECT pg_reload_conf()")


def without_page_headers(pages: bytes) -> bytes:
    """Return the contents of whole WAL pages, joined."""
    parts = []
    for start in range(0, len(pages), WAL_PAGE_BYTES):
        flags = int.from_bytes(pages[start + 2 : start + 4], "little")
        header = WAL_LONG_HEADER_BYTES if flags & WAL_LONG_HEADER else WAL_HEADER_BYTES
        parts.append(pages[start + header : start + WAL_PAGE_BYTES])
    return b"".join(parts)


@dataclass(frozen=True, slots=True)
class RedisWrites:
    """
    All that is written to Redis during a run: an append-only file, which is off otherwise.

    What a key held for a second is in it as well as what is there at the end.
    """

    url: str = field(repr=False)

    def begin(self) -> None:
        """Write down every command from now on, in the server's folder."""
        with Redis.from_url(self.url, decode_responses=True) as client:
            client.config_set("auto-aof-rewrite-percentage", 0)
            client.config_set("appendfsync", "no")
            client.config_set("appendonly", "yes")
            until = time.monotonic() + REDIS_SECONDS
            while _is_beginning(client.info("persistence")):
                assert time.monotonic() < until, "Redis does not begin its append-only file"
                time.sleep(0.05)

    def end(self) -> None:
        """Write no more, and remove what was written."""
        with Redis.from_url(self.url, decode_responses=True) as client:
            client.config_set("appendonly", "no")
            folder = Path(client.config_get("dir")["dir"])
        for name in AOF_NAMES:
            shutil.rmtree(folder / name, ignore_errors=True)
            with suppress(FileNotFoundError):
                (folder / name).unlink()


def _is_beginning(state: dict[str, int]) -> bool:
    return bool(state["aof_rewrite_in_progress"] or state["aof_rewrite_scheduled"])


def redis_contents(url: str, *, to: Path) -> Path:
    """Write every key of every database, and what it holds, to a file."""
    with to.open("wb") as output:
        for number in REDIS_DATABASES:
            with Redis.from_url(url, db=number) as client:
                for key in client.scan_iter(count=1000):
                    output.writelines(part + b"\n" for part in (key, *_values(client, key)))
    return to


def _values(client: "Redis[bytes]", key: bytes) -> list[bytes]:
    """Return what a key holds. DUMP would compress it."""
    kind = client.type(key).decode()
    if kind == "string":
        return [client.get(key) or b""]
    if kind == "list":
        return client.lrange(key, 0, -1)
    if kind == "set":
        return list(client.smembers(key))
    if kind == "zset":
        return client.zrange(key, 0, -1)
    if kind == "hash":
        return [part for pair in client.hgetall(key).items() for part in pair]
    assert kind in {"none", "stream"}, f"Redis holds a {kind}"
    entries = client.xrange(key) if kind == "stream" else []
    return [part for _, fields in entries for pair in fields.items() for part in pair]


def kafka_contents(addresses: str, *, to: Path) -> Path:
    """Write every message of every topic to a file: key, headers, value."""
    reader = Consumer(
        {
            "bootstrap.servers": addresses,
            "group.id": "leaks",
            "enable.auto.commit": False,
            "enable.partition.eof": False,
            "fetch.wait.max.ms": 10,
            "log_level": 3,
        }
    )
    try:
        with to.open("wb") as output:
            for part in _messages(reader):
                output.write(part + b"\n")
    finally:
        reader.close()
    return to


def _messages(reader: Consumer) -> Iterator[bytes]:
    ends = {
        (topic.topic, number): reader.get_watermark_offsets(
            TopicPartition(topic.topic, number), timeout=KAFKA_SECONDS
        )
        for topic in reader.list_topics(timeout=KAFKA_SECONDS).topics.values()
        for number in topic.partitions
        # A topic whose name begins so is the broker's own: positions of groups.
        if not topic.topic.startswith("__")
    }
    unread = {place: end for place, (start, end) in ends.items() if end > start}
    reader.assign([TopicPartition(*place, OFFSET_BEGINNING) for place in unread])
    until = time.monotonic() + KAFKA_SECONDS
    while unread:
        assert time.monotonic() < until, f"Kafka does not give all it has: {unread}"
        for message in reader.consume(1000, timeout=0.2):
            assert message.error() is None, message.error()
            yield b"\n".join(
                [message.key() or b"", message.value() or b""]
                + [value or b"" for _, value in message.headers() or ()]
            )
            place = (message.topic(), message.partition())
            if message.offset() + 1 >= unread.get(place, 0):
                unread.pop(place, None)
