"""All embedded servers of one data directory, and the environment that leads to them."""

import re
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from deploy.local import (
    certificates,
    children,
    environment,
    kafka,
    postgres,
    process_file,
    redis,
    softhsm,
)
from deploy.local.directory import LocalDirectory
from deploy.local.errors import NotReadyError
from deploy.local.ports import HOST, Ports
from deploy.local.server import Server

NAMES = ("postgres", "redis", "kafka", "hsm")


class Servers:
    """A context that starts the chosen servers, and stops them in reverse order."""

    def __init__(
        self,
        directory: LocalDirectory,
        names: Sequence[str] = NAMES,
        *,
        are_processes_ours: bool = False,
    ) -> None:
        self.directory = directory
        self._are_ours = are_processes_ours
        self.ports = Ports(directory.ports_file)
        self._names = names
        self._servers: list[Server] = []
        self._values: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Start them side by side and write the env file."""
        try:
            self._servers = [self._finders()[name]() for name in self._names]
            for server in self._servers:
                server.launch()
            for server in self._servers:
                server.wait_until_ready()
            self._values = self._environment()
            environment.write_dotenv(self.directory.env_file, self._values)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop them."""
        self.stop()

    def stop(self) -> None:
        """Stop every server, last started first, also when one of them fails to stop."""
        errors = []
        while self._servers:
            try:
                self._servers.pop().stop()
            except Exception as error:  # noqa: BLE001 - the rest must still be stopped
                errors.append(error)
        self.ports.release()
        if errors:
            message = "some servers did not stop"
            raise ExceptionGroup(message, errors)

    def origins(self) -> Mapping[str, str]:
        """Return where each server comes from."""
        return {server.name: server.origin for server in self._servers}

    def environment(self) -> dict[str, str]:
        """Return every address: the servers', and those our own processes will have."""
        return dict(self._values)

    def cpu_seconds(self) -> dict[str, float]:
        """Return the processor time of each server that is ours."""
        pids = {server.name: server.pid() for server in self._servers}
        return {name: children.cpu_seconds(pid) for name, pid in pids.items() if pid is not None}

    def mend(self) -> list[str]:
        """Start again every server that died, and name them. Raises NotReadyError."""
        dead = [server for server in self._servers if not server.is_running()]
        for server in dead:
            before = server.environment()
            server.stop()
            server.launch()
            server.wait_until_ready()
            if server.environment() != before:
                message = f"{server.name} died and came back at another address: start again"
                raise NotReadyError(message)
        return [server.name for server in dead]

    def _environment(self) -> dict[str, str]:
        values = own_addresses(self.directory, self.ports)
        if self._are_ours:
            values |= _proved(self.directory, values["SWITCH_URL"])
        else:
            # What the person who started us has set wins over what we would choose.
            given = environment.inherited()
            values = {name: given.get(name, value) for name, value in values.items()}
        for server in self._servers:
            values.update(server.environment())
        values["UPI_LOCAL_DIR"] = str(self.directory.root)
        return values

    def _finders(self) -> Mapping[str, Callable[[], Server]]:
        return {
            "postgres": lambda: postgres.find(self.directory, self.ports),
            "redis": lambda: redis.find(self.directory, self.ports),
            "kafka": lambda: kafka.find(self.directory, self.ports),
            "hsm": lambda: softhsm.find(self.directory),
        }


def own_addresses(directory: LocalDirectory, ports: Ports) -> dict[str, str]:
    """Return the addresses our own processes will have, known before any of them runs."""
    taken = {
        name: ports.take(name, preferred=preferred)
        for name, preferred in process_file.load().ports.items()
    }
    return {
        "DJANGO_SECRET_KEY": directory.secret("django.secret_key", characters=64),
        "KEYS_DIRECTORY": str(directory.keys),
        "PUBLIC_URL": f"http://{HOST}:{taken['public']}",
        "SWITCH_URL": f"http://{HOST}:{taken['switch']}",
        "SWITCH_CONTROL_URL": f"http://{HOST}:{taken['control']}",
        "CORE_BANKING_HOST": f"{HOST}:{taken['host']}",
        "CORE_BANKING_CONTROL_URL": f"http://{HOST}:{taken['host_control']}",
        "CORE_BANKING_FILES_URL": f"http://{HOST}:{taken['host_control']}/dayfile",
        "METRICS_URL": f"http://{HOST}:{taken['metrics']}/metrics",
        "SMS_GATEWAY_URL": f"http://{HOST}:{taken['control']}",
    }


def _proved(directory: LocalDirectory, switch_url: str) -> dict[str, str]:
    """Return what makes the wire mutual TLS; the certificates are made if need be."""
    folder = directory.data("tls")
    certificates.make(folder)
    secure_url = switch_url.replace("http://", "https://")
    return {"SWITCH_URL": secure_url, **certificates.environment_of(folder)}


def parse_names(text: str) -> tuple[str, ...]:
    """Read the value of `--only`. Raises ValueError on a word that is no server."""
    wanted = [word for word in re.split(r"[,\s]+", text) if word]
    unknown = [word for word in wanted if word not in NAMES]
    if unknown or not wanted:
        message = f"--only takes {', '.join(NAMES)}, not {text!r}"
        raise ValueError(message)
    return tuple(name for name in NAMES if name in wanted)
