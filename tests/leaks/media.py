"""Everything in which a run could leave a canary, as files for the search."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.local.directory import REPOSITORY
from tests.leaks.recording import Recording
from tests.leaks.servers import kafka_contents, redis_contents

# Below the data directory: PostgreSQL's own files are read through the dump and the WAL, and what
# the canaries are is no leak.
_NOT_SEARCHED = ("postgres", "binaries", "leaks")
_UNLOGGED = """
    SELECT relname FROM pg_class WHERE relpersistence = 'u' AND relkind = 'r' ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Media:
    """The run's traces. `texts` have no account number in them either, `dumps` do."""

    dumps: tuple[Path, ...]
    texts: tuple[Path, ...]
    others: tuple[Path, ...]
    unlogged: dict[str, list[str]]

    @property
    def files(self) -> list[Path]:
        """All of them."""
        return [*self.dumps, *self.texts, *self.others]


def collect(recording: Recording, *, temporary: Path) -> Media:
    """
    Dump the databases, read Redis and Kafka, list the logs and every other file of the run.

    `temporary` is the tests' own folder: what a sandbox under test wrote is in there.
    """
    cluster, folder = recording.cluster, recording.folder
    names = cluster.databases()
    recording.output.touch()
    contents = [
        redis_contents(recording.place.redis_url, to=folder / "redis.txt"),
        kafka_contents(recording.place.kafka_addresses, to=folder / "kafka.txt"),
        recording.output,
    ]
    files = [*_files(recording), *_regular(temporary), *REPOSITORY.glob("core*")]
    redis_folder = recording.place.directory.data("redis")
    logs = [file for file in files if file.suffix == ".log" or redis_folder in file.parents]
    return Media(
        dumps=tuple(cluster.dump(name, to=folder / f"{name}.sql") for name in names),
        texts=(*contents, *logs),
        others=tuple(set(files) - set(logs)),
        unlogged={name: [table for (table,) in cluster.rows(name, _UNLOGGED)] for name in names},
    )


def _files(recording: Recording) -> Iterator[Path]:
    for entry in recording.place.directory.root.iterdir():
        if entry.name not in _NOT_SEARCHED:
            yield from _regular(entry)


def _regular(place: Path) -> list[Path]:
    entries = place.rglob("*") if place.is_dir() else [place]
    return [entry for entry in entries if entry.is_file() and not entry.is_symlink()]
