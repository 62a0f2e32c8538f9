"""Note, from the beginning of a run, what its end has to know: canaries, WAL, Redis, output."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from deploy.local.directory import LocalDirectory
from tests.leaks.servers import Cluster, RedisWrites

CANARY_FILE = "CANARY_FILE"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run's servers are."""

    directory: LocalDirectory
    owner_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    kafka_addresses: str

    @classmethod
    def of_environment(cls) -> Self | None:
        """
        Return the place, if its servers are the directory's own: only those show all they wrote.

        Asked before the first test, for some of them change their environment.
        """
        names = ("UPI_LOCAL_DIR", "DATABASE_OWNER_URL", "REDIS_URL")
        if not all(os.environ.get(name) for name in names):
            return None
        directory = LocalDirectory.from_environment()
        if not all((directory.run / f"{name}.json").exists() for name in ("postgres", "redis")):
            return None
        return cls(
            directory=directory,
            owner_url=os.environ["DATABASE_OWNER_URL"],
            redis_url=os.environ["REDIS_URL"],
            kafka_addresses=os.environ.get("KAFKA_BOOTSTRAP_SERVERS", ""),
        )


@dataclass(frozen=True, slots=True)
class Recording:
    """A run that is being watched."""

    place: Place
    folder: Path
    cluster: Cluster
    redis_writes: RedisWrites
    wal_since: str

    @classmethod
    def begin(cls, place: Place) -> Self:
        """Begin to watch."""
        folder = place.directory.data("leaks")
        shutil.rmtree(folder)
        folder.mkdir(mode=0o700)
        cluster = Cluster(place.directory, owner_url=place.owner_url)
        redis_writes = RedisWrites(place.redis_url)
        redis_writes.begin()
        return cls(
            place=place,
            folder=folder,
            cluster=cluster,
            redis_writes=redis_writes,
            wal_since=cluster.keep_wal(),
        )

    @property
    def canary_file(self) -> Path:
        """Where the sandbox notes what it makes."""
        return self.folder / "canaries.jsonl"

    @property
    def output(self) -> Path:
        """Where the output of the tests goes that pytest captures."""
        return self.folder / "output.log"

    def end(self, *, forget: bool) -> None:
        """Watch no more; leave what was found for a person to look at, unless it is to forget."""
        self.cluster.keep_wal_no_longer()
        self.redis_writes.end()
        if forget:
            shutil.rmtree(self.folder)
