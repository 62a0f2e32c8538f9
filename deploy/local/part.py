"""One running part: its child process, its state, and where its lines go."""

import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import IO

from deploy.local import children, readiness
from deploy.local.directory import REPOSITORY, LocalDirectory
from deploy.local.process_file import SETTLED_SECONDS, PartPlan

LOG_BYTES_MAX = 20_000_000
PUMP_JOIN_SECONDS = 2.0


class State(StrEnum):
    """What a part is doing."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    DONE = "done"
    BACKING_OFF = "backing off"
    FAILED = "failed"
    STOPPING = "stopping"
    STOPPED = "stopped"


class Part:
    """A part under supervision. Only the supervisor calls it, with its lock held."""

    def __init__(
        self,
        plan: PartPlan,
        *,
        directory: LocalDirectory,
        environment: Mapping[str, str],
        on_line: Callable[[str, str], None],
    ) -> None:
        self.plan = plan
        self.state = State.WAITING
        self.child: children.Child | None = None
        self.failures = 0
        self.starts = 0
        self.was_ready = False
        self.next_start_at = 0.0
        self.state_since = time.monotonic()
        self.log = directory.logs / f"{plan.name}.log"
        self.record = directory.run / f"{plan.name}.json"
        self.changes: dict[str, str] = {}
        self._environment = environment
        self._on_line = on_line
        self._printed = threading.Event()
        self._pump: threading.Thread | None = None
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.replace(self.log.with_suffix(".log.1"))

    @property
    def seconds_in_state(self) -> float:
        """How long it has been in this state."""
        return time.monotonic() - self.state_since

    def move(self, state: State) -> None:
        """Change the state."""
        self.state = state
        self.state_since = time.monotonic()

    def start(self) -> None:
        """Start the child and a thread that passes on what it prints."""
        children.end_leftover(self.record)
        if self.plan.ready is not None and self.plan.ready.kind == "file":
            Path(self.plan.ready.value).unlink(missing_ok=True)
        self._printed.clear()
        self.starts += 1
        plan = children.Plan(
            name=self.plan.name,
            command=self.plan.command,
            environment={**self._environment, **self.plan.environment, **self.changes},
            record=self.record,
            cwd=REPOSITORY,
            stop_signal=self.plan.stop_signal,
            grace_seconds=self.plan.grace_seconds,
        )
        self.child = children.start(plan, output=subprocess.PIPE)
        output = self.child.process.stdout
        assert output is not None
        self._pump = threading.Thread(target=self._pass_on, args=(output,), daemon=True)
        self._pump.start()

    def is_ready(self) -> bool:
        """Look once; without a sign of readiness a part that has settled is ready."""
        if self.plan.once:
            return False
        if self.plan.ready is None:
            return self.seconds_in_state > SETTLED_SECONDS
        return readiness.is_ready(self.plan.ready, printed=self._printed.is_set())

    def exit_code(self) -> int | None:
        """Return how the child ended, None while it runs."""
        assert self.child is not None
        return self.child.exit_code()

    def end(self, *, kill: bool = False) -> None:
        """Stop or kill what runs, also a child's orphans, and wait for its last lines."""
        if self.child is not None:
            if kill:
                self.child.kill()
            else:
                self.child.stop()
        if self._pump is not None:
            self._pump.join(PUMP_JOIN_SECONDS)
        self.child = None

    def last_lines(self, count: int = 12) -> str:
        """Return the end of the log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])

    def _pass_on(self, output: IO[bytes]) -> None:
        sign = self.plan.ready
        awaited = sign.value.encode() if sign is not None and sign.kind == "output" else None
        with output, self.log.open("ab") as log, suppress(ValueError):
            for line in output:
                log.write(line)
                log.flush()
                if awaited is not None and awaited in line:
                    self._printed.set()
                self._on_line(self.plan.name, line.decode(errors="replace").rstrip("\r\n"))
