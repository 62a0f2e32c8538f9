"""The supervisor, with real child processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local import children, process_file
from deploy.local.directory import REPOSITORY, LocalDirectory
from deploy.local.errors import NotReadyError
from deploy.local.part import State
from deploy.local.reporter import Reporter
from deploy.local.supervisor import Supervisor

# It writes when it starts and ends, has a child of its own, and ends when it is asked to.
TREE = """
import os, signal, subprocess, sys, time
name, journal, grace = sys.argv[1], sys.argv[2], float(sys.argv[3])
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
def write(text):
    with open(journal, "a") as file:
        file.write(f"{name} {text}\\n")
def end(*_):
    # Each thread of a supervisor that dies sends one.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(grace)
    child.terminate()
    child.wait()
    write("ended")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
write("started")
print("up", os.environ.get("COLOUR", ""), flush=True)
while True:
    time.sleep(600)
"""


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal"
    path.touch()
    return path


@pytest.fixture
def tree(tmp_path: Path, journal: Path) -> Callable[..., str]:
    """The command of a part with a child of its own."""
    script = tmp_path / "tree.py"
    script.write_text(TREE)
    return lambda name, grace=0.0: f"{sys.executable} {script} {name} {journal} {grace}"


@pytest.fixture
def supervise(directory: LocalDirectory, tmp_path: Path) -> Iterator[Callable[[str], Supervisor]]:
    """Return what makes a supervisor of a process file's text; it is stopped at the end."""
    made: list[Supervisor] = []

    def make(text: str) -> Supervisor:
        path = tmp_path / "processes.toml"
        path.write_text(text)
        supervisor = Supervisor(
            process_file.load(path).parts,
            directory=directory,
            environment={"PATH": os.environ["PATH"]},
            reporter=Reporter([], states=False, lines=False),
        )
        made.append(supervisor)
        return supervisor

    yield make
    for supervisor in made:
        supervisor.hurry()
        supervisor.stop()


def test_parts_start_in_the_order_of_their_needs(supervise, tree, journal):
    supervisor = supervise(
        f"""
        [part.last]
        needs = ["middle"]
        command = "{tree("last")}"
        ready = {{ output = "up" }}
        [part.middle]
        needs = ["first"]
        command = "{tree("middle")}"
        ready = {{ output = "up" }}
        [part.first]
        once = true
        command = ["sh", "-c", "sleep 0.2; echo first done >> {journal}"]
        """
    )

    supervisor.start()

    assert journal.read_text().splitlines() == ["first done", "middle started", "last started"]
    assert supervisor.states() == {
        "first": State.DONE,
        "middle": State.READY,
        "last": State.READY,
    }


def test_dependents_are_stopped_before_what_they_need_even_through_a_step_that_is_done(
    supervise, tree, journal
):
    supervisor = supervise(
        f"""
        [part.server]
        command = "{tree("server")}"
        ready = {{ output = "up" }}
        [part.step]
        once = true
        needs = ["server"]
        command = "true"
        [part.slow]
        needs = ["step"]
        command = "{tree("slow", 0.4)}"
        ready = {{ output = "up" }}
        [part.quick]
        needs = ["server"]
        command = "{tree("quick")}"
        ready = {{ output = "up" }}
        """
    )
    supervisor.start()
    processes = [pid for name in ("server", "slow", "quick") for pid in supervisor.pids(name)]

    supervisor.stop()

    assert journal.read_text().splitlines()[3:] == ["quick ended", "slow ended", "server ended"]
    assert len(processes) == 6
    assert not [pid for pid in processes if is_alive(pid)]


def test_a_part_that_dies_is_restarted_and_its_orphans_are_ended(supervise, tree):
    supervisor = supervise(
        f"""
        [part.worker]
        command = "{tree("worker")}"
        ready = {{ output = "up" }}
        """
    )
    supervisor.start()
    leader, orphan = supervisor.pids("worker")

    os.kill(leader, signal.SIGKILL)

    assert children.wait_until(lambda: supervisor.starts("worker") == 2, seconds=5)
    supervisor.wait_until_ready("worker")
    assert not is_alive(leader)
    assert not is_alive(orphan)
    assert supervisor.pids("worker")[0] != leader


def test_the_processor_time_of_a_part_counts_its_children_too(supervise):
    busy = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    supervisor = supervise(
        f"""
        [part.busy]
        command = ["sh", "-c", '{sys.executable} -c "$BUSY"; echo up; sleep 600']
        environment = {{ BUSY = {json.dumps(busy)} }}
        ready = {{ output = "up" }}
        """
    )

    supervisor.start()

    assert 0.3 <= supervisor.cpu_seconds()["busy"] < 3


def test_killing_a_part_ends_its_whole_tree_at_once(supervise, tree, journal):
    supervisor = supervise(
        f"""
        [part.worker]
        command = "{tree("worker")}"
        restart = false
        ready = {{ output = "up" }}
        """
    )
    supervisor.start()
    before = supervisor.pids("worker")

    supervisor.kill("worker")

    assert len(before) == 2
    assert not [pid for pid in before if is_alive(pid)]
    assert children.wait_until(lambda: supervisor.states() == {"worker": State.STOPPED}, seconds=5)
    assert journal.read_text() == "worker started\n"


def test_a_halted_part_stays_down_until_it_is_resumed_with_a_changed_environment(supervise, tree):
    supervisor = supervise(
        f"""
        [part.worker]
        command = "{tree("worker")}"
        ready = {{ output = "up" }}
        """
    )
    supervisor.start()

    supervisor.halt("worker")
    time.sleep(0.5)

    assert supervisor.states() == {"worker": State.STOPPED}
    assert supervisor.pids("worker") == []
    supervisor.resume("worker", changes={"COLOUR": "blue"})
    assert supervisor.log("worker").read_text().splitlines() == ["up ", "up blue"]


def test_a_part_that_cannot_start_is_given_up_and_everything_is_stopped(supervise, tree, journal):
    supervisor = supervise(
        f"""
        [part.server]
        command = "{tree("server")}"
        ready = {{ output = "up" }}
        [part.broken]
        needs = ["server"]
        command = ["sh", "-c", "echo no such luck; exit 3"]
        ready = {{ tcp = "127.0.0.1:1" }}
        """
    )

    with pytest.raises(NotReadyError, match=r"broken failed; the end of (?s:.*)no such luck"):
        supervisor.start()

    assert supervisor.starts("broken") == 3
    assert journal.read_text().splitlines() == ["server started", "server ended"]


def test_a_set_up_step_that_fails_is_not_repeated(supervise):
    supervisor = supervise(
        """
        [part.migrate]
        once = true
        command = ["sh", "-c", "echo wrong; exit 1"]
        """
    )

    with pytest.raises(NotReadyError, match="migrate failed"):
        supervisor.start()

    assert supervisor.starts("migrate") == 1


def test_a_part_that_is_not_ready_in_time_is_ended(supervise, tree):
    supervisor = supervise(
        f"""
        [part.mute]
        command = "{tree("mute")}"
        ready = {{ tcp = "127.0.0.1:1" }}
        ready_seconds = 0.2
        """
    )

    with pytest.raises(NotReadyError, match="mute failed"):
        supervisor.start()

    assert supervisor.pids("mute") == []


def test_nothing_outlives_a_supervisor_that_is_killed(directory, tree, tmp_path):
    path = tmp_path / "processes.toml"
    path.write_text(f'[part.worker]\ncommand = "{tree("worker")}"\nready = {{ output = "up" }}\n')
    script = f"""
import os, sys, time
from pathlib import Path
from deploy.local import process_file
from deploy.local.directory import LocalDirectory
from deploy.local.reporter import Reporter
from deploy.local.supervisor import Supervisor
supervisor = Supervisor(process_file.load(Path({str(path)!r})).parts,
    directory=LocalDirectory(Path({str(directory.root)!r})), environment=dict(os.environ),
    reporter=Reporter([], states=False, lines=False))
supervisor.start()
print(*supervisor.pids("worker"), flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    processes = [int(pid) for pid in parent.stdout.readline().split()]

    parent.kill()
    parent.wait()
    parent.stdout.close()

    assert len(processes) == 2
    assert children.wait_until(lambda: not any(map(is_alive, processes)), seconds=5)


def is_alive(pid: int) -> bool:
    """Tell whether the process exists and has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
