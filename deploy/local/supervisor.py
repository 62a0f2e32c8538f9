"""
The supervisor: starts parts in order, waits for each, restarts what dies, stops dependents first.

One thread of its own, the keeper, starts and stops every child: the kernel tells a child when the
thread that started it ends, so that no child outlives a supervisor that is killed.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy.local import children
from deploy.local.directory import LocalDirectory
from deploy.local.errors import LocalError, NotReadyError
from deploy.local.part import Part, State
from deploy.local.process_file import PartPlan
from deploy.local.reporter import Reporter

STEP_SECONDS = 0.05
BACK_OFF_FIRST_SECONDS = 0.25
BACK_OFF_MAX_SECONDS = 10.0
# A part that has been ready for so long has recovered: its next death starts a new count.
RECOVERED_SECONDS = 10.0
# A part that was never ready is given up after so many starts.
FIRST_STARTS_MAX = 3
STOP_SECONDS_MAX = 60.0
SETTLED = (State.READY, State.DONE)


class Supervisor:
    """Keeps parts running from `start` to `stop`; any thread may call its public methods."""

    def __init__(
        self,
        plans: Sequence[PartPlan],
        *,
        directory: LocalDirectory,
        environment: Mapping[str, str],
        reporter: Reporter,
    ) -> None:
        self._reporter = reporter
        self._parts = {
            plan.name: Part(
                plan, directory=directory, environment=environment, on_line=reporter.line
            )
            for plan in plans
        }
        self._lock = threading.RLock()
        self._ending = threading.Event()
        self._hurry = threading.Event()
        self._keeper: threading.Thread | None = None

    def start(self) -> None:
        """Start everything and return when all are ready. Raises NotReadyError, leaving nothing."""
        assert self._keeper is None
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self._keeper.start()
        try:
            self._wait(lambda: all(part.state in SETTLED for part in self._parts.values()))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything, those first that others do not need."""
        self._ending.set()
        if self._keeper is not None:
            self._keeper.join()
            self._keeper = None

    def hurry(self) -> None:
        """End the grace of everything that is stopping."""
        self._hurry.set()

    def kill(self, name: str) -> None:
        """End the part and all its processes with SIGKILL; it is restarted as its policy says."""
        with self._lock:
            child = self._part(name).child
            if child is not None:
                child.kill()

    def halt(self, name: str) -> None:
        """Stop the part and keep it down until `resume`."""
        with self._lock:
            part = self._part(name)
            self._move(part, State.STOPPING)
        # The keeper leaves a stopping part alone, so the others need not wait for its grace.
        part.end()
        with self._lock:
            self._move(part, State.STOPPED)

    def resume(self, name: str, *, changes: Mapping[str, str] | None = None) -> None:
        """Start a part that is down, with a changed environment, and wait until it is ready."""
        with self._lock:
            part = self._part(name)
            part.changes.update(changes or {})
            part.failures = 0
            part.was_ready = False
            self._move(part, State.WAITING)
        self.wait_until_ready(name)

    def restart(self, name: str, *, changes: Mapping[str, str] | None = None) -> None:
        """Stop the part, start it again and wait until it is ready."""
        self.halt(name)
        self.resume(name, changes=changes)

    def wait_until_ready(self, name: str) -> None:
        """Wait for one part. Raises NotReadyError when it has failed."""
        part = self._part(name)
        self._wait(lambda: part.state in SETTLED)

    def states(self) -> dict[str, State]:
        """Return what each part is doing."""
        with self._lock:
            return {name: part.state for name, part in self._parts.items()}

    def starts(self, name: str) -> int:
        """Return how often the part was started."""
        return self._part(name).starts

    def pids(self, name: str) -> list[int]:
        """Return the part's processes, its first one first; none when it is down."""
        with self._lock:
            child = self._part(name).child
            return children.tree(child.pid) if child is not None else []

    def cpu_seconds(self) -> dict[str, float]:
        """Return the processor time of each part that runs, since its last start."""
        with self._lock:
            return {
                name: children.cpu_seconds(part.child.pid)
                for name, part in self._parts.items()
                if part.child is not None
            }

    def log(self, name: str) -> Path:
        """Return the part's log file."""
        return self._part(name).log

    def _part(self, name: str) -> Part:
        if name not in self._parts:
            message = f"there is no part {name}: the parts are {', '.join(self._parts)}"
            raise LocalError(message)
        return self._parts[name]

    def _wait(self, condition: Callable[[], bool]) -> None:
        """Wait for the condition; it fails when a part fails, or the supervisor ends."""
        while not condition():
            for part in self._parts.values():
                if part.state is State.FAILED:
                    message = (
                        f"{part.plan.name} failed; the end of {part.log}:\n{part.last_lines()}"
                    )
                    raise NotReadyError(message)
            if self._ending.is_set() or self._keeper is None:
                message = "the supervisor is stopping"
                raise NotReadyError(message)
            time.sleep(STEP_SECONDS)

    def _keep(self) -> None:
        while not self._ending.wait(STEP_SECONDS):
            with self._lock:
                for part in self._parts.values():
                    self._step(part)
        with self._lock:
            self._stop_all()

    def _step(self, part: Part) -> None:
        """Move one part on by at most one state."""
        if part.state is State.WAITING:
            if all(self._parts[need].state in SETTLED for need in part.plan.needs):
                self._begin(part)
        elif part.state is State.BACKING_OFF:
            if time.monotonic() >= part.next_start_at:
                self._begin(part)
        elif part.state in (State.STARTING, State.READY):
            self._watch(part)

    def _begin(self, part: Part) -> None:
        self._move(part, State.STARTING)
        try:
            part.start()
        except OSError as error:
            self._reporter.line(part.plan.name, str(error))
            self._move(part, State.FAILED)

    def _watch(self, part: Part) -> None:
        code = part.exit_code()
        if code is not None:
            self._bury(part, code)
        elif part.state is State.READY:
            if part.seconds_in_state > RECOVERED_SECONDS:
                part.failures = 0
        elif part.is_ready():
            part.was_ready = True
            self._move(part, State.READY)
        elif part.seconds_in_state > part.plan.ready_seconds:
            self._reporter.note(
                part.plan.name, f"not ready within {part.plan.ready_seconds:g} s: ended"
            )
            part.end(kill=True)
            self._back_off(part)

    def _bury(self, part: Part, code: int) -> None:
        # Its orphans go too: a restarted part must not meet its former workers.
        part.end(kill=True)
        if part.plan.once and code == 0:
            self._move(part, State.DONE)
            return
        self._reporter.note(part.plan.name, f"ended with code {code}")
        if part.plan.once or not part.plan.restart:
            self._move(part, State.FAILED if part.state is State.STARTING else State.STOPPED)
        else:
            self._back_off(part)

    def _back_off(self, part: Part) -> None:
        part.failures += 1
        if not part.was_ready and part.failures >= FIRST_STARTS_MAX:
            self._move(part, State.FAILED)
            return
        pause = min(BACK_OFF_FIRST_SECONDS * 2 ** (part.failures - 1), BACK_OFF_MAX_SECONDS)
        part.next_start_at = time.monotonic() + pause
        self._move(part, State.BACKING_OFF)

    def _move(self, part: Part, state: State) -> None:
        seconds = part.seconds_in_state if state in SETTLED else None
        part.move(state)
        self._reporter.state(part.plan.name, state, seconds=seconds)

    def _stop_all(self) -> None:
        """Stop level by level: side by side all that no running part needs, then the next."""
        left = {name: part for name, part in self._parts.items() if part.child is not None}
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while left:
            needed = {need for name in left for need in self._all_needs(name)}
            level = [part for name, part in left.items() if name not in needed]
            for part in level:
                self._move(part, State.STOPPING)
                assert part.child is not None
                part.child.signal(part.plan.stop_signal)
            for part in level:
                self._finish(part, deadline=deadline)
                del left[part.plan.name]

    def _all_needs(self, name: str) -> set[str]:
        """Return what the part needs, directly or through parts that are done."""
        direct = set(self._parts[name].plan.needs)
        return direct.union(*(self._all_needs(need) for need in direct))

    def _finish(self, part: Part, *, deadline: float) -> None:
        grace = min(part.plan.grace_seconds, max(deadline - time.monotonic(), 0.0))
        children.wait_until(
            lambda: part.exit_code() is not None or self._hurry.is_set(), seconds=grace
        )
        part.end(kill=True)
        self._move(part, State.STOPPED)
