"""
The sandbox's core-banking host as a real process, for tests of any directory.

In a conftest or a test file: `from tests.core_banking_host import core_banking_host`. The fixture
is one `HostProcess` for the test: with certificates (`tls`: ca.pem, receiver.pem and .key are
the bank's), a folder for the exchange of keys (`keys`), the address for CORE_BANKING_HOST
(`address`) and the control door (`control`, an httpx.Client). It is empty: `open_account` fills it.

    def test_a_debit_is_booked(core_banking_host):
        core_banking_host.open_account("001100000001", 100_000)
        core_banking_host.fault("late", seconds=1, match={"mti": "0200"})

`running(folder)` is the same as a context manager, for a fixture of another scope or a folder that
the platform's settings name; `start`, `stop` and `kill` give it a life, and its book survives.
The MAC key: put our public transport key at `keys/900001.host-transport.pem`, and the wrapped key
appears at `keys/900001.host-mac.wrapped`; `mac_key` is the key itself, for a test that speaks the
wire with its own hands.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy.local import certificates

REPOSITORY = Path(__file__).resolve().parents[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class HostProcess:
    """The running host and its doors."""

    data: Path
    keys: Path
    tls: Path
    port: int
    control_port: int
    control: httpx.Client
    process: subprocess.Popen | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def mac_key(self) -> bytes:
        return (self.data / "host-mac.key").read_bytes()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "sandbox.host",
                "--port", str(self.port), "--control-port", str(self.control_port),
                "--data", str(self.data), "--keys", str(self.keys), "--tls", str(self.tls),
            ],
            cwd=REPOSITORY,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not self._is_up():
            assert time.monotonic() < deadline, "the host did not start"
            assert self.process.poll() is None, "the host ended at once"
            time.sleep(0.02)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        assert self.process.wait(20) == 0, "the host did not stop cleanly"

    def open_account(self, number: str, balance_paise: int = 0, status: str = "ACTIVE") -> None:
        body = {"number": number, "balance_paise": balance_paise, "status": status}
        self.order("/accounts", **body)

    def balance(self, number: str) -> int:
        return self.control.get(f"/accounts/{number}").json()["balance_paise"]

    def fault(self, kind: str, **order) -> None:
        self.order("/faults", kind=kind, **order)

    def order(self, path: str, **body) -> dict:
        response = self.control.post(path, json=body)
        assert response.is_success, response.text
        return response.json()

    def links(self) -> list[dict]:
        return self.control.get("/links").json()["links"]

    def journal(self, after: int = 0) -> list[dict]:
        """Return every message after this number; numbers have no gaps."""
        found: list[dict] = []
        while page := self._page(after + len(found)):
            found += page
        return found

    def _page(self, after: int) -> list[dict]:
        return self.control.get("/journal", params={"after": after}).json()["messages"]

    def _is_up(self) -> bool:
        try:
            return self.control.get("/healthz").is_success
        except httpx.TransportError:
            return False


@contextmanager
def running(folder: Path, *, keys: Path | None = None) -> Iterator[HostProcess]:
    """Run a host whose data, certificates and, unless given, keys are under this folder."""
    tls = folder / "tls"
    tls.mkdir(parents=True, exist_ok=True)
    certificates.make(tls)
    port, control_port = free_port(), free_port()
    control = httpx.Client(base_url=f"http://127.0.0.1:{control_port}", timeout=30)
    host = HostProcess(folder / "host", keys or folder / "keys", tls, port, control_port, control)
    with control:
        host.start()
        try:
            yield host
        finally:
            host.kill()


@pytest.fixture
def core_banking_host(tmp_path: Path) -> Iterator[HostProcess]:
    with running(tmp_path) as host:
        yield host
