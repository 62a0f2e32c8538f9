"""The whole platform on one machine, as a context: servers, set-up, and every process."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local import environment, postgres, process_file
from deploy.local.directory import LocalDirectory
from deploy.local.ports import Ports
from deploy.local.reporter import Reporter
from deploy.local.servers import Servers
from deploy.local.supervisor import Supervisor


class Platform:
    """
    Everything from `with Platform() as platform:` on; its `supervisor` kills, halts, resumes parts.

    `parts` limits what runs to those and what they need; `changes` are environment variables for
    every part; `database` is another database on the same server, made if it is not there.
    """

    def __init__(
        self,
        directory: LocalDirectory | None = None,
        *,
        parts: Sequence[str] | None = None,
        changes: Mapping[str, str] | None = None,
        database: str | None = None,
        processes: Path = process_file.DEFAULT,
        reporter: Reporter | None = None,
    ) -> None:
        self.directory = directory or LocalDirectory.from_environment()
        self.environment: dict[str, str] = {}
        self._changes = dict(changes or {})
        self._database = database
        given = process_file.load(processes)
        self._fixed = {
            name: environment.inherited().get(name, value)
            for name, value in given.environment.items()
        }
        self._file = given.under(self._fixed | self._changes)
        names = parts if parts is not None else [part.name for part in self._file.parts]
        self._plans = self._file.chosen(names)
        self._reporter = reporter or Reporter([], states=False, lines=False)
        self._servers: Servers | None = None
        self._supervisor: Supervisor | None = None
        self._stack = ExitStack()

    @property
    def supervisor(self) -> Supervisor:
        """The keeper of the parts, while the platform runs."""
        assert self._supervisor is not None
        return self._supervisor

    @property
    def urls(self) -> dict[str, str]:
        """Where a person or a program reaches it."""
        public = self.environment["PUBLIC_URL"]
        return {
            "public": public,
            "docs": f"{public}/docs",
            "admin": f"{public}/admin/",
            "switch": self.environment["SWITCH_URL"],
            "control": self.environment["SWITCH_CONTROL_URL"],
            "metrics": self.environment["METRICS_URL"],
        }

    def start(self) -> None:
        """Start everything and return when all is ready. Raises LocalError and leaves nothing."""
        with ExitStack() as stack:
            stack.enter_context(self.directory.held())
            servers = stack.enter_context(Servers(self.directory, are_processes_ours=True))
            for name, origin in servers.origins().items():
                self._reporter.note(name, f"ready: {origin}")
            self._servers = servers
            self.environment = self._environment_of(servers)
            values = self._placeholders(servers.ports)
            supervisor = Supervisor(
                [process_file.expand(plan, values) for plan in self._plans],
                directory=self.directory,
                environment=environment.inherited() | self.environment,
                reporter=self._reporter,
            )
            stack.callback(supervisor.stop)
            self._supervisor = supervisor
            supervisor.start()
            self._stack = stack.pop_all()

    def stop(self) -> None:
        """Stop the processes, those first that others do not need, then the servers."""
        self._stack.close()
        self._supervisor = None

    def cpu_seconds(self) -> dict[str, float]:
        """Return the processor time so far of every server and part."""
        assert self._servers is not None
        return self._servers.cpu_seconds() | self.supervisor.cpu_seconds()

    def hurry(self) -> None:
        """End the grace of everything that is stopping."""
        if self._supervisor is not None:
            self._supervisor.hurry()

    def mend_servers(self) -> None:
        """Start a server that died again. Raises NotReadyError when it cannot come back."""
        assert self._servers is not None
        for name in self._servers.mend():
            self._reporter.note(name, "died and was started again")

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def _environment_of(self, servers: Servers) -> dict[str, str]:
        shared = {"PROMETHEUS_MULTIPROC_DIR": str(self.directory.emptied("metrics"))}
        values = servers.environment() | shared | self._fixed | self._changes
        if self._database is not None:
            owner = values["DATABASE_OWNER_URL"]
            values["DATABASE_OWNER_URL"] = postgres.prepare_database(
                self._database, owner_url=owner
            )
            values["DATABASE_URL"] = postgres.at_database(values["DATABASE_URL"], self._database)
            values.pop("DATABASE_REPLICA_URL", None)
        return values

    def _placeholders(self, ports: Ports) -> dict[str, str]:
        taken = {
            f"PORT_{name.upper()}": str(ports.take(name, preferred=preferred))
            for name, preferred in self._file.ports.items()
        }
        own = {"PYTHON": process_file.PYTHON, "LOCAL": str(self.directory.root)}
        return self.environment | taken | own
