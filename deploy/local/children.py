"""Child processes that never outlive their parent: started, watched, and stopped as a group."""

import json
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deploy.local.errors import NotAvailableError, NotReadyError

POLL_SECONDS = 0.02
KILL_WAIT_SECONDS = 5.0
# The account that servers which refuse root run as; every Debian and Ubuntu has it.
PLAIN_USER = "nobody"


@dataclass(frozen=True, slots=True)
class Plan:
    """How one child is started and asked to stop."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    record: Path
    cwd: Path = Path("/")
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 15.0
    as_plain_user: bool = False


class Child:
    """One started process and its process group."""

    def __init__(self, plan: Plan, process: subprocess.Popen[bytes]) -> None:
        self.plan = plan
        self.process = process

    @property
    def pid(self) -> int:
        """The process id; also the id of its group."""
        return self.process.pid

    def exit_code(self) -> int | None:
        """Return how it ended, or None while it runs."""
        return self.process.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, if it is still there."""
        if self.process.poll() is None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """End the process and everything it started, with no chance to tidy up."""
        _signal_group(self.pid, signal.SIGKILL)
        self._reap()

    def stop(self) -> None:
        """Ask it to end, wait for its grace, then end what is left of its group."""
        self.signal(self.plan.stop_signal)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(self.plan.grace_seconds)
        # Also after a clean end: a worker's orphaned child must not outlive it.
        _signal_group(self.pid, signal.SIGKILL)
        self._reap()

    def _reap(self) -> None:
        self.process.wait(KILL_WAIT_SECONDS)
        # The others of its group were killed with it, and are gone a moment later.
        wait_until(lambda: not _group_lives(self.pid), seconds=KILL_WAIT_SECONDS)
        self.plan.record.unlink(missing_ok=True)


def start(plan: Plan, *, output: IO[bytes] | int) -> Child:
    """Start the child in a session of its own; it is told to stop if this thread's process dies."""
    prefix = dying_with_parent(plan.stop_signal)
    as_user: list[str] = []
    if plan.as_plain_user and os.geteuid() == 0:
        group = pwd.getpwnam(PLAIN_USER).pw_gid
        as_user = ["--reuid", PLAIN_USER, "--regid", str(group), "--clear-groups"]
    process = subprocess.Popen(
        [*prefix, *as_user, "--", *plan.command],
        env=dict(plan.environment),
        cwd=plan.cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    identity = {"pid": process.pid, "started": _started_at(process.pid)}
    plan.record.write_text(json.dumps(identity))
    return Child(plan, process)


def dying_with_parent(number: signal.Signals) -> list[str]:
    """Return the start of a command that gets this signal when the thread that started it ends."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        message = "the program setpriv is missing: apt-get install util-linux"
        raise NotAvailableError(message)
    return [setpriv, "--pdeathsig", number.name.removeprefix("SIG")]


def end_leftover(record: Path) -> bool:
    """End the process a crashed run left behind; return whether there was one."""
    try:
        identity = json.loads(record.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    pid, started = identity["pid"], identity["started"]
    # A number alone could by now belong to somebody else's process.
    alive = started is not None and _started_at(pid) == started
    if alive:
        _signal_group(pid, signal.SIGTERM)
        if not wait_until(lambda: _started_at(pid) != started, seconds=KILL_WAIT_SECONDS):
            _signal_group(pid, signal.SIGKILL)
            wait_until(lambda: _started_at(pid) != started, seconds=KILL_WAIT_SECONDS)
    record.unlink(missing_ok=True)
    return alive


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Poll the condition; return whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def wait_until_ready(child: Child, ready: Callable[[], bool], *, seconds: float, log: Path) -> None:
    """Wait for the child to become ready. Raises NotReadyError if it ends or takes too long."""
    if wait_until(lambda: child.exit_code() is not None or ready(), seconds=seconds):
        if child.exit_code() is None:
            return
        message = (
            f"{child.plan.name} ended with code {child.exit_code()} before it was ready: see {log}"
        )
    else:
        message = f"{child.plan.name} was not ready within {seconds:g} s: see {log}"
    child.stop()
    raise NotReadyError(message)


def tree(pid: int) -> list[int]:
    """Return the process and all it started, parents first."""
    found = [pid]
    for parent in found:
        # Any of its threads may have started a child.
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            with suppress(OSError):
                found.extend(int(child) for child in children.read_text().split())
    return found


def cpu_seconds(pid: int) -> float:
    """Return the processor time of the process and of all it started, also of those that ended."""
    ticks = 0
    for each in tree(pid):
        fields = _stat(each)
        # utime, stime, and those of children that it has waited for: proc(5), fields 14 to 17.
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # Those that ended may lie about as zombies for as long as their new parent likes.
    members = (
        _stat(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdecimal()
    )
    return any(fields and int(fields[2]) == group and fields[0] not in "ZX" for fields in members)


def _started_at(pid: int) -> int | None:
    """Return the start time in clock ticks since boot, None once it has ended (so has a zombie)."""
    fields = _stat(pid)
    return int(fields[19]) if fields and fields[0] != "Z" else None


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/pid/stat from the state, its third, on; none when it is gone."""
    try:
        # The name in parentheses may hold spaces; what follows is fixed: proc(5).
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
