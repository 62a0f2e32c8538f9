"""The whole platform as separate processes: every service by itself behind the path router."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from deploy.local import postgres, process_file
from deploy.local.demo.page import Page
from deploy.local.demo.stage import Stage
from deploy.local.directory import LocalDirectory
from deploy.local.platform import Platform
from upi_platform.services import SERVICES

DATABASE = "platform"
# The receiver has a door of its own, and is a process of its own in the process file too.
ROUTED = tuple(name for name in SERVICES if name != "receiver")
# Its workers must not take the wake-ups that tests of this process wait for.
OWN_REDIS = {"REDIS_FIRST_DATABASE": "8"}


class Record(Page):
    """A page that prints nothing and remembers what did not hold, with what was found."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: list[str] = []
        self._console.quiet = True

    def expect(self, promise: str, *, found: object, wanted: object) -> None:
        super().expect(promise, found=found, wanted=wanted)
        if found != wanted:
            self.broken.append(f"{promise}: found {found!r}, wanted {wanted!r}")


def service_by_service(text: str) -> str:
    """Return the process file with one process for each service in place of the grouped ones."""
    head, *parts = re.split(r"^(?=\[part\.)", text, flags=re.MULTILINE)
    grouped = {"api", "live", "router"}
    kept = [part for part in parts if re.match(r"\[part\.([\w-]+)", part)[1] not in grouped]
    ports = "".join(f"{name} = {8101 + place}\n" for place, name in enumerate(SERVICES))
    head = re.sub(r"^(receiver|api|live) = .*\n", "", head, flags=re.MULTILINE)
    head = re.sub(r"^\[ports\].*$", "[ports]\n" + ports, head, flags=re.MULTILINE)
    upstreams = " ".join(f"--upstream {name}=127.0.0.1:${{PORT_{name.upper()}}}" for name in ROUTED)
    return (
        head
        + "".join(kept)
        + "".join(_service(name) for name in ROUTED)
        + f"""
[part.router]
needs = {list(ROUTED)!r}
command = "${{PYTHON}} -m deploy.local.router --port ${{PORT_PUBLIC}} {upstreams}"
ready = {{ http = "http://127.0.0.1:${{PORT_PUBLIC}}/livez" }}
"""
    )


def _service(name: str) -> str:
    port = f"${{PORT_{name.upper()}}}"
    worker = "gthread --threads 16" if name == "live" else "sync"
    return f"""
[part.{name if name != "payments" else "payments-api"}]
needs = ["keys"]
environment = {{ UPI_SERVICES = "{name}" }}
command = "${{PYTHON}} -m gunicorn upi_platform.wsgi \
--config python:upi_platform.web_server --bind 127.0.0.1:{port} --workers 1 \
--worker-class {worker} --worker-tmp-dir /dev/shm"
ready = {{ http = "http://127.0.0.1:{port}/livez" }}
ready_seconds = 90
"""


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """
    The platform with its own data and database, on the servers that the tests use.

    Both are new: what customers paid in an earlier run would count against their limits of the day.
    """
    text = service_by_service(process_file.DEFAULT.read_text())
    processes = tmp_path_factory.mktemp("platform") / "processes.toml"
    processes.write_text(text.replace(f"needs = {list(ROUTED)!r}", _needs()))
    root = Path(os.environ["UPI_LOCAL_DIR"]) / "platform"
    directory = LocalDirectory(root.resolve())
    with directory.held():
        directory.remove()
    server = postgres.at_database(os.environ["DATABASE_OWNER_URL"], "postgres")
    with psycopg.connect(server, autocommit=True) as owner:
        owner.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    with Platform(directory, database=DATABASE, processes=processes, changes=OWN_REDIS) as running:
        yield running


def _needs() -> str:
    names = [name if name != "payments" else "payments-api" for name in ROUTED]
    return "needs = [" + ", ".join(f'"{name}"' for name in names) + "]"


@pytest.fixture(scope="module")
def books(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let this process read the platform's database in place of the tests' own."""
    default = connections["default"]
    own = default.settings_dict["NAME"]
    with django_db_blocker.unblock():
        default.close()
        default.settings_dict["NAME"] = DATABASE
        yield
        default.close()
        default.settings_dict["NAME"] = own


@pytest.fixture(scope="module")
def stage(platform: Platform, books: None) -> Iterator[Stage]:
    """Customers with PINs, a shop, and the switch's control door."""
    with Stage.open(platform) as opened:
        page = Record()
        opened.set_pins(page)
        assert page.broken == []
        yield opened


@pytest.fixture
def page() -> Record:
    """A page whose broken promises a test asserts on."""
    return Record()
