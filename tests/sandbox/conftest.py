"""The sandbox as a real process, and a small bank that it talks to."""

import base64
import itertools
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
from cryptography.hazmat.primitives import serialization
from lxml import etree
from signxml import DigestAlgorithm, SignatureConfiguration, SignatureMethod, XMLVerifier

from tests import core_banking_host
from tests.core_banking_host import HostProcess
from tests.sandbox import spoken
from tests.sandbox.bank import DS, Bank
from tests.sandbox.host_caller import Caller

# The longest of the switch's limits that a bank may let pass.
LIMIT_SECONDS = 15


def wait_until(condition) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never became true")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class World:
    """The running sandbox, its doors, and the bank."""

    control: httpx.Client
    bank: Bank
    keys: Path
    data: Path
    port: int
    control_port: int
    process: subprocess.Popen | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "sandbox.switch",
                "--port", str(self.port), "--control-port", str(self.control_port),
                "--data", str(self.data), "--keys", str(self.keys),
                "--bank-url", f"http://127.0.0.1:{self.bank.port}", "--timer-scale", "1",
            ],
            cwd=Path(__file__).resolve().parents[2],
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while not self.is_up():
            assert time.monotonic() < deadline, "the sandbox did not start"
            assert self.process.poll() is None, "the sandbox ended at once"
            time.sleep(0.02)

    def is_up(self) -> bool:
        try:
            return self.control.get("/healthz").is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        assert self.process.wait(20) == 0, "the sandbox did not stop cleanly"

    @property
    def switch_key(self):
        return serialization.load_pem_public_key((self.keys / "NPCI.credential.pem").read_bytes())

    def send_pay(self, payee: str, amount: str = "149.50", **changes) -> str:
        """Let our customer pay; return the Txn.id."""
        request = spoken.pay_request(self.switch_key, payee, amount, **changes)
        txn_id = request.find("Txn").get("id")
        assert self.bank.post(request) == ""
        return txn_id

    def order(self, payee: str, **order) -> str:
        """Let a customer of the other bank pay; return the Txn.id."""
        body = {"payee": payee, "amount_paise": 14950} | order
        response = self.control.post("/payments", json=body)
        assert response.status_code == 202, response.text
        return response.json()["txn_id"]

    def collect(self, **order) -> str:
        """Let a shop of another bank collect from our customer; return the Txn.id."""
        body = {"payer": spoken.PAYER, "amount_paise": 14950} | order
        response = self.control.post("/collects", json=body)
        assert response.status_code == 202, response.text
        return response.json()["txn_id"]

    def send_collect(self, payer: str, amount: str = "149.50", *, minutes: str = "30") -> str:
        """Let our shop collect from a customer of another bank; return the Txn.id."""
        request = spoken.collect_request(payer, amount, minutes=minutes)
        assert self.bank.post(request) == ""
        return request.find("Txn").get("id")

    def ended(self, txn_id: str) -> dict:
        """Return a payment once it has ended."""
        shown = self.control.get(f"/payments/{txn_id}", params={"wait": 60}).json()
        assert shown["status"] != "PENDING"
        return shown

    def advance(self, seconds: float) -> None:
        """Move the switch's clock."""
        moved = self.control.post("/clock", json={"advance_seconds": seconds})
        assert moved.status_code == 200

    def silence(self, txn_id: str, *kinds: str) -> None:
        """
        Let the switch wait in vain for the answers to these requests, one after the other.

        A kind is an API, or for a ReqPay its type. What is answered has all the time of the rules.
        """
        for kind in kinds:
            wait_until(lambda kind=kind: kind in self.asked(txn_id))
            self.advance(LIMIT_SECONDS)

    def asked(self, txn_id: str) -> list[str]:
        """Return what the switch asked the banks about a transaction, by its own record."""
        rows = self.control.get("/journal", params={"txn_id": txn_id}).json()["messages"]
        return [
            row["type"] if row["api"] == "ReqPay" else row["api"]
            for row in rows
            if row["direction"] == "out"
        ]

    def fault(self, action: str, direction: str, **order) -> None:
        names = ("api", "type", "sub_type", "txn_id")
        match = {name: order.pop(name) for name in names if name in order}
        body = {"match": match | {"direction": direction}, "action": action} | order
        assert self.control.post("/faults", json=body).status_code == 201

    def messages(self, txn_id: str, direction: str, api: str, kind: str = "") -> list[dict]:
        """Return the switch's own record of messages about a transaction."""
        rows = self.control.get("/journal", params={"txn_id": txn_id}).json()["messages"]
        return [
            row
            for row in rows
            if (row["direction"], row["api"]) == (direction, api) and kind in {"", row["type"]}
        ]

    def position(self, txn_id: str, org_id: str = "900001") -> tuple[int, int]:
        shown = self.control.get("/journal/positions", params={"org_id": org_id}).json()
        assert shown["net_paise"] == shown["payable_paise"] - shown["receivable_paise"]
        row = next(row for row in shown["transactions"] if row["txn_id"] == txn_id)
        return row["payable_paise"], row["receivable_paise"]


def independent_verifier(pem: bytes):
    """Verify by another library, against the pinned key and no other."""
    pinned = serialization.load_pem_public_key(pem).public_numbers().n
    settings = SignatureConfiguration(
        require_x509=False,
        signature_methods=frozenset({SignatureMethod.RSA_SHA256}),
        digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
    )

    def verify(body: bytes) -> None:
        verifier = XMLVerifier()
        verifier.excise_empty_xmlns_declarations = True
        root = etree.fromstring(body)
        verifier.verify(root, expect_config=settings)
        modulus = root.findtext(f".//{{{DS}}}Modulus")
        assert int.from_bytes(base64.b64decode(modulus)) == pinned

    return verify


@contextmanager
def open_world(keys: Path, data: Path) -> Iterator[World]:
    """Start a bank, and a sandbox for it."""
    port, control_port = free_port(), free_port()
    bank = Bank(f"http://127.0.0.1:{port}", spoken.natural)
    (keys / "900001.signing.pem").write_bytes(bank.signer.pem())
    (keys / "900001.credential.pem").write_bytes(
        bank.issuer.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    bank.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{control_port}", timeout=90) as control:
        world = World(control, bank, keys, data, port, control_port)
        world.start()
        bank.verify = independent_verifier((keys / "NPCI.signing.pem").read_bytes())
        yield world
        world.stop()
    bank.stop()


@pytest.fixture(scope="session")
def running(tmp_path_factory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("keys"), tmp_path_factory.mktemp("data")) as world:
        yield world


@pytest.fixture
def world(running: World) -> Iterator[World]:
    """
    The sandbox without faults; afterwards its journal and the other banks' book sum to zero.

    The switch has the limits of the rules, so no loaded machine makes an answer late: a test moves
    the clock where somebody is silent.
    """
    running.bank.reset()
    running.control.delete("/faults")
    running.control.delete("/clock")
    running.control.post("/heartbeats", json={"every_seconds": 0})
    running.control.post("/timers", json={"scale": 1})
    yield running
    assert running.bank.problems == []
    assert running.control.get("/book").json()["sum_paise"] == 0
    wait_until(lambda: running.control.get("/journal/positions").json()["all_banks_paise"] == 0)


HOST_OPENING = 100_000
_host_accounts = itertools.count(1)


@pytest.fixture(scope="session")
def started_host(tmp_path_factory) -> Iterator[HostProcess]:
    with core_banking_host.running(tmp_path_factory.mktemp("host")) as host:
        yield host


@pytest.fixture
def host(started_host: HostProcess) -> Iterator[HostProcess]:
    """Return the core-banking host without faults; every test has an account of its own."""
    yield started_host
    started_host.control.delete("/faults").raise_for_status()
    started_host.order("/settings", refuses_after_reversal=True, recognises_repeats=True)


@pytest.fixture
def account(host: HostProcess) -> str:
    number = f"0011{next(_host_accounts):08}"
    host.open_account(number, HOST_OPENING)
    return number


@pytest.fixture
def caller(host: HostProcess, account: str) -> Iterator[Caller]:
    """Return a bank that has signed on; a terminal of its own keeps its requests apart."""
    with Caller(host.port, host.tls, host.mac_key, terminal=account[-8:]) as made:
        made.sign_on()
        yield made
