"""The platform as a context and as a command, with parts that are quick to start."""

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import psycopg
import pytest

from deploy.local import environment
from deploy.local.children import wait_until
from deploy.local.directory import REPOSITORY
from deploy.local.errors import LocalError
from deploy.local.part import State
from deploy.local.platform import Platform

PROCESSES = """
[ports]
public = 8000
switch = 9301
control = 9302

[environment]
GREETING = "hello"

[part.prepare]
once = true
command = ["sh", "-c", "echo $DATABASE_URL > ${LOCAL}/prepared"]

[part.web]
needs = ["prepare"]
command = "${PYTHON} -m http.server --bind 127.0.0.1 --directory ${LOCAL} ${PORT_PUBLIC}"
ready = { http = "http://127.0.0.1:${PORT_PUBLIC}/prepared" }

[part.other]
command = ["sh", "-c", "echo $GREETING $REDIS_URL > ${LOCAL}/other; sleep 600"]
ready = { file = "${LOCAL}/other" }
"""


@pytest.fixture
def processes(tmp_path):
    path = tmp_path / "processes.toml"
    path.write_text(PROCESSES)
    return path


@pytest.fixture
def without_java(monkeypatch):
    """The cluster that starts at once, for here nobody asks which one it is."""
    given = environment.inherited() | {"KAFKA": "librdkafka"}
    monkeypatch.setattr(environment, "inherited", lambda: dict(given))


@pytest.mark.usefixtures("without_java")
def test_servers_and_parts_run_together_and_stop_together(shared_directory, processes):
    changes = {"GREETING": "good morning"}
    with Platform(
        shared_directory, processes=processes, database="another", changes=changes
    ) as platform:
        address = platform.environment["DATABASE_URL"]
        with urllib.request.urlopen(f"{platform.urls['public']}/prepared") as answer:
            assert answer.read().decode().strip() == address
        with psycopg.connect(address) as connection:
            assert connection.info.dbname == "another"
        told = (shared_directory.root / "other").read_text().strip()
        assert told == f"good morning {platform.environment['REDIS_URL']}"

        seconds = platform.cpu_seconds()
        assert set(seconds) == {"postgres", "redis", "kafka", "web", "other"}
        assert seconds["postgres"] > 0

        (before, *_) = platform.supervisor.pids("web")
        platform.supervisor.kill("web")
        assert wait_until(lambda: platform.supervisor.starts("web") == 2, seconds=5)
        platform.supervisor.wait_until_ready("web")
        assert platform.supervisor.pids("web")[0] != before
        assert platform.supervisor.states()["prepare"] is State.DONE

        with pytest.raises(LocalError, match="is in use by process"):
            Platform(shared_directory, processes=processes).start()

    assert list(shared_directory.run.glob("*.json")) == []


@pytest.mark.usefixtures("without_java")
def test_only_the_chosen_parts_and_their_needs_run(shared_directory, processes):
    with Platform(shared_directory, processes=processes, parts=["web"]) as platform:
        assert set(platform.supervisor.states()) == {"prepare", "web"}


def test_up_says_where_everything_is_and_ctrl_c_stops_it(shared_directory, processes):
    with subprocess.Popen(
        [sys.executable, "-m", "deploy.local", "up", "--processes", str(processes)],
        cwd=REPOSITORY,
        env=environment.inherited()
        | {"UPI_LOCAL_DIR": str(shared_directory.root), "KAFKA": "librdkafka"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        shown = []
        for line in process.stdout:
            shown.append(line.rstrip())
            if "addresses" in line:
                break
        public = environment.read_dotenv(shared_directory.env_file)["PUBLIC_URL"]
        servers = [
            json.loads(path.read_text())["pid"] for path in shared_directory.run.glob("*.json")
        ]

        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()

        assert process.wait(30) == 0, rest
    assert f"  platform       {public}" in shown
    assert "stopping" in rest.splitlines()
    assert len(servers) == 5
    assert not [pid for pid in servers if Path(f"/proc/{pid}").exists()]
