"""The embedded servers, really started, each in a directory of its own."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest
from redis import Redis as Client

from deploy.local import environment, kafka, kafka_apache, postgres, redis, softhsm
from deploy.local.children import wait_until
from deploy.local.directory import REPOSITORY, LocalDirectory
from deploy.local.errors import DirectoryInUseError, NotAvailableError
from deploy.local.ports import Ports, is_free
from deploy.local.server import External
from deploy.local.servers import Servers, parse_names


def test_data_and_addresses_outlive_a_restart(directory):
    with Servers(directory, ["postgres", "redis"]) as servers:
        first = servers.environment()
        with psycopg.connect(first["DATABASE_OWNER_URL"]) as owner:
            owner.execute("CREATE TABLE kept AS SELECT 7 AS number")
        with Client.from_url(first["REDIS_URL"]) as client:
            client.set("kept", "7")

    with Servers(directory, ["postgres", "redis"]) as servers:
        assert servers.environment() == first
        with psycopg.connect(first["DATABASE_OWNER_URL"]) as owner:
            assert owner.execute("SELECT number FROM kept").fetchone() == (7,)
        with Client.from_url(first["REDIS_URL"]) as client:
            assert client.get("kept") == b"7"


def test_ports_that_are_taken_are_avoided(directory):
    with Servers(directory, ["redis"]) as servers:
        before = servers.environment()["REDIS_URL"]
    port = int(before.rpartition(":")[2])
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", port))
        stranger.listen()

        with Servers(directory, ["redis"]) as servers:
            after = servers.environment()["REDIS_URL"]
            with Client.from_url(after) as client:
                assert client.ping()

    assert after != before


def test_two_directories_run_side_by_side(directory, tmp_path):
    other = LocalDirectory(tmp_path / "other")
    try:
        with Servers(directory, ["redis"]) as one, Servers(other, ["redis"]) as two:
            assert one.environment()["REDIS_URL"] != two.environment()["REDIS_URL"]
            assert one.environment()["SWITCH_URL"] != two.environment()["SWITCH_URL"]
    finally:
        other.remove()


def test_servers_leave_nothing_running(directory, monkeypatch):
    given = environment.inherited() | {"KAFKA": "librdkafka"}
    monkeypatch.setattr(environment, "inherited", lambda: dict(given))
    with Servers(directory, ["postgres", "redis", "kafka"]) as servers:
        records = [directory.run / f"{name}.json" for name in ("postgres", "redis", "kafka")]
        pids = [json.loads(record.read_text())["pid"] for record in records]
        assert servers.environment()["KAFKA_BOOTSTRAP_SERVERS"]

    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert not [record for record in records if record.exists()]


def test_a_run_that_was_killed_is_recovered_from(directory):
    sql = "CREATE TABLE kept AS SELECT 7 AS number"
    script = (
        "import os, psycopg, time\n"
        "url = os.environ['DATABASE_OWNER_URL']\n"
        f"psycopg.connect(url, autocommit=True).execute({sql!r})\n"
        "print(os.getpid(), flush=True)\n"
        "time.sleep(600)\n"
    )
    with running(directory, script, only="postgres,redis") as process:
        assert process.stdout is not None
        command = int(process.stdout.readline())
        process.kill()

    with Servers(directory, ["postgres", "redis"]) as servers:
        with psycopg.connect(servers.environment()["DATABASE_URL"]) as app:
            number = app.execute("SELECT number FROM kept").fetchone()
        with Client.from_url(servers.environment()["REDIS_URL"]) as client:
            assert client.ping()

    assert number == (7,)
    assert wait_until(lambda: not Path(f"/proc/{command}").exists(), seconds=5)


def test_a_stale_process_record_of_somebody_else_harms_nobody(directory):
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    record = directory.run / "redis.json"
    record.write_text(json.dumps({"pid": stranger.pid, "started": 1}))

    with Servers(directory, ["redis"]):
        assert stranger.poll() is None

    stranger.kill()
    stranger.wait()


def test_a_server_that_died_is_started_again_at_its_address(directory):
    with Servers(directory, ["redis"]) as servers:
        pid = json.loads((directory.run / "redis.json").read_text())["pid"]
        os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda: is_free(int(servers.environment()["REDIS_URL"].rpartition(":")[2])), seconds=5
        )

        assert servers.mend() == ["redis"]

        with Client.from_url(servers.environment()["REDIS_URL"]) as client:
            assert client.ping()


def test_the_env_file_leads_to_the_servers_and_is_for_its_owner_only(directory):
    with Servers(directory, ["redis", "hsm"]) as servers:
        written = environment.read_dotenv(directory.env_file)

        assert written == servers.environment()
        assert stat.S_IMODE(directory.env_file.stat().st_mode) == 0o600
        assert stat.S_IMODE((directory.root / "secrets.json").stat().st_mode) == 0o600
        assert set(written) >= {"REDIS_URL", "PKCS11_MODULE", "SWITCH_URL", "KEYS_DIRECTORY"}


def test_the_token_is_made_once_and_its_library_forgets_after_a_fork(directory):
    with Servers(directory, ["hsm"]) as servers:
        values = servers.environment()
        tokens = sorted((directory.root / "softhsm" / "tokens").rglob("*.object"))

    with Servers(directory, ["hsm"]):
        again = sorted((directory.root / "softhsm" / "tokens").rglob("*.object"))

    assert Path(values["PKCS11_MODULE"]).exists()
    assert "library.reset_on_fork = true" in Path(values["SOFTHSM2_CONF"]).read_text()
    assert tokens
    assert again == tokens


def test_an_address_in_the_environment_wins(directory, monkeypatch):
    given = {
        "DATABASE_URL": "postgresql://upi_app@db/upi",
        "DATABASE_OWNER_URL": "postgresql://upi_owner@db/upi",
        "REDIS_URL": "redis://cache",
        "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
        "PKCS11_MODULE": "/opt/vendor.so",
        "PKCS11_TOKEN_LABEL": "bank",
        "PKCS11_USER_PIN": "0000",
    }
    monkeypatch.setattr(environment, "inherited", lambda: dict(given))
    ports = Ports(directory.ports_file)

    found = [
        postgres.find(directory, ports),
        redis.find(directory, ports),
        kafka.find(directory, ports),
        softhsm.find(directory),
    ]

    assert all(isinstance(server, External) for server in found)
    assert {
        name: value for server in found for name, value in server.environment().items()
    } == given


def test_what_is_missing_is_one_sentence_with_the_command_that_gets_it(monkeypatch, directory):
    monkeypatch.setattr(redis.shutil, "which", lambda _: None)
    monkeypatch.setattr(redis.importlib.util, "find_spec", lambda _: None)

    with pytest.raises(
        NotAvailableError, match=r"^a Redis server is missing: apt-get install redis-server$"
    ):
        redis.find(directory, Ports(directory.ports_file))


def test_without_java_the_messages_go_through_librdkafka(monkeypatch, directory, capsys):
    monkeypatch.setattr(kafka_apache.shutil, "which", lambda _: None)

    found = kafka.find(directory, Ports(directory.ports_file))

    assert isinstance(found, kafka.LibrdkafkaCluster)
    assert "Java 17 or later is missing" in capsys.readouterr().err


def test_without_softhsm_and_apt_the_sentence_says_what_to_install(
    directory, tmp_path, monkeypatch
):
    given = {"UPI_CACHE_DIR": str(tmp_path / "cache")}
    monkeypatch.setattr(environment, "inherited", lambda: dict(given))
    monkeypatch.setattr(softhsm, "INSTALLED", ())
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NotAvailableError, match="apt-get install libsofthsm2"):
        softhsm.find(directory).launch()


def test_a_second_run_on_one_directory_is_refused_in_one_sentence(directory):
    with directory.held():
        refusals = []

        def second() -> None:
            try:
                with LocalDirectory(directory.root).held():
                    pass
            except DirectoryInUseError as error:
                refusals.append(str(error))

        thread = threading.Thread(target=second)
        thread.start()
        thread.join()

    (refusal,) = refusals
    assert refusal == (
        f"{directory.root} is in use by process {os.getpid()}: "
        "stop it, or set UPI_LOCAL_DIR to another directory"
    )


def test_only_names_servers():
    assert parse_names("redis,postgres") == ("postgres", "redis")
    with pytest.raises(ValueError, match="'mysql'"):
        parse_names("mysql")


def test_the_command_gets_the_addresses_and_its_code_is_ours(directory):
    script = "import os, sys; sys.exit(7 if os.environ['REDIS_URL'] else 8)"

    with running(directory, script) as process:
        assert process.wait(20) == 7

    assert not (directory.run / "redis.json").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_first_and_then_the_servers(directory, number):
    script = (
        "import os, signal, sys, redis\n"
        "def end(*_):\n"
        "    os.write(1, b'%r\\n' % redis.Redis.from_url(os.environ['REDIS_URL']).ping())\n"
        "    sys.exit(5)\n"
        f"signal.signal({number:d}, end)\n"
        "os.write(1, b'up\\n')\n"
        "signal.pause()\n"
    )
    with running(directory, script) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        pid = json.loads((directory.run / "redis.json").read_text())["pid"]

        process.send_signal(number)

        assert process.stdout.readline() == "True\n"
        assert process.wait(20) == 5
    assert not Path(f"/proc/{pid}").exists()


def running(
    directory: LocalDirectory, script: str, *, only: str = "redis"
) -> subprocess.Popen[str]:
    """Start the command line as a person does, with a Python script among the servers."""
    command = ["-m", "deploy.local", "run", "--only", only, "--", sys.executable, "-c", script]
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "UPI_LOCAL_DIR": str(directory.root)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
