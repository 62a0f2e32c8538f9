"""The bank as two processes that die and come back, the switch as a third, and a buyer."""

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives import serialization
from django.conf import settings
from django.core.management import call_command

from apps.payments.models import Leg, StatusCheck
from apps.payments.states import Role, State, is_final
from apps.risk.models import LimitRule
from sandbox.phone import Handset, Phone, RefusedError
from tests.api.people import Shop, open_shop
from tests.payments.hand import PIN
from tests.payments.payer import Payer, enrol_payer, shop_side
from tests.sandbox.conftest import free_port

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 30
TRIES_MAX = 5
PAISE = 100


class Part:
    """A process of the bank, and what it says of its life."""

    def __init__(self, name: str, port: int, environment: dict[str, str]) -> None:
        self._said: queue.Queue[str] = queue.Queue()
        self.deaths = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.payments.mortal", name, str(port)],
            cwd=ROOT, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self.wait_for("up")

    def _listen(self) -> None:
        for line in self._process.stdout:
            self.deaths += line.strip() == "died"
            self._said.put(line.strip())

    def wait_for(self, word: str) -> None:
        while self._said.get(timeout=WAIT_SECONDS) != word:
            pass

    def order(self, line: str) -> None:
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        self.wait_for(f"ok {line.split(maxsplit=1)[0]}")

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.stdin.write("stop\n")
            self._process.stdin.flush()
            self._process.wait(WAIT_SECONDS)
        self._listener.join(WAIT_SECONDS)
        self._process.stdin.close()
        self._process.stdout.close()


@dataclass
class World:
    """The bank, the switch, and a customer who buys."""

    parts: tuple[Part, ...]
    control: httpx.Client
    phone: Phone
    payer: Payer
    shop: Shop
    folder: Path
    pin: str = PIN
    passed: list[str] = field(default_factory=list)

    def body(self) -> dict[str, Any]:
        order = self.shop.order(amount=PAISE).json()
        return self.phone.payment_order(
            account_id=self.payer.account_id,
            payer=self.payer.address,
            payee=self.shop.address,
            amount_paise=PAISE,
            pin=self.pin,
            reference_id=order["reference"],
        )

    def send(self, body) -> str:
        """Send a payment as an app does: until it is answered, with the same key."""
        for _ in range(200):
            try:
                return self.phone.send_payment(body, idempotency_key=body["txn_id"])["txn_id"]
            except (httpx.TransportError, RefusedError):
                time.sleep(0.05)
        raise AssertionError("the payment was never accepted")

    def order(self, line: str) -> None:
        for part in self.parts:
            part.order(line)

    @property
    def deaths(self) -> int:
        return sum(part.deaths for part in self.parts)

    def pay_and_die(self, point: str) -> list[str]:
        """Pay until a process has died at this point; return the payments, the last is the one."""
        before, paid = self.deaths, []
        self.order(f"fault {point}:{self.folder / point}")
        while self.deaths == before:
            assert len(paid) < TRIES_MAX, f"nobody died at {point}"
            paid.append(self.send(self.body()))
            wait_until(lambda: self.deaths > before or is_at_rest(paid[-1]))
        # Whoever lived keeps his order, and would not obey it any more: the file is there.
        self.order("fault ")
        return paid

    def record(self) -> list[str]:
        """Pay, and return the points passed that no payment before has passed, in their order."""
        trace = self.folder / f"trace-{len(self.passed)}"
        self.order(f"trace {trace}")
        txn_id = self.send(self.body())
        self.wait_for_rest(txn_id)
        # The last answers are recorded after the last leg has ended.
        time.sleep(1)
        self.order("trace ")
        fresh = [
            each for each in dict.fromkeys(trace.read_text().split()) if each not in self.passed
        ]
        self.passed += fresh
        return fresh

    def wait_for_rest(self, txn_id: str) -> None:
        """Wait until the payment has ended, and the switch has told everybody."""
        wait_until(lambda: is_at_rest(txn_id) and self.is_done_with(txn_id))

    @contextmanager
    def fault(self, action: str, **match: str) -> Iterator[None]:
        """Let the switch do this with every message that matches."""
        body = {"match": {"direction": "out", **match}, "action": action, "count": 1000}
        assert self.control.post("/faults", json=body).is_success
        try:
            yield
        finally:
            assert self.control.delete("/faults").is_success

    def status(self, txn_id: str) -> str:
        shown = self.control.get(f"/payments/{txn_id}")
        return shown.json()["status"] if shown.is_success else "NEVER SEEN"

    def is_done_with(self, txn_id: str) -> bool:
        """Say whether the switch has told everybody, or never heard of it."""
        shown = self.control.get(f"/payments/{txn_id}")
        return not shown.is_success or shown.json()["stage"] == "DONE"


@contextmanager
def open_world(hand, tmp_path) -> Iterator["World"]:
    """Start the switch and the bank, and enrol a customer and a shop; stop what was started."""
    payer, shop = enrol_payer(hand, paise=10_000_000), open_shop()
    shop_side(hand, shop)
    LimitRule.objects.filter(rule="DAY_COUNT").update(value=1000)
    port, control_port, bank_port = free_port(), free_port(), free_port()
    keys = tmp_path / "keys"
    keys.mkdir()
    switch = subprocess.Popen(
        [
            sys.executable, "-m", "sandbox.switch", "--port", str(port),
            "--control-port", str(control_port), "--data", str(tmp_path / "switch"),
            "--keys", str(keys), "--bank-url", f"http://127.0.0.1:{bank_port}",
        ],
        cwd=ROOT,
    )  # fmt: skip
    control = httpx.Client(base_url=f"http://127.0.0.1:{control_port}", timeout=10)
    parts: list[Part] = []
    try:
        wait_until(lambda: _is_up(control))
        settings.KEYS_DIRECTORY = keys
        call_command("exchange_keys", wait=10)
        environment = _environment(f"http://127.0.0.1:{port}")
        parts += [Part(name, bank_port, environment) for name in ("web", "work")]
        key = serialization.load_pem_public_key((keys / "NPCI.credential.pem").read_bytes())
        phone = Phone(_handset(payer), api_url=f"http://127.0.0.1:{bank_port}", switch_key=key)
        phone.login()
        yield World(tuple(parts), control, phone, payer, shop, tmp_path)
        phone.close()
    finally:
        for part in parts:
            part.stop()
        switch.kill()
        switch.wait()
        control.close()


def wait_until(condition) -> None:
    deadline = time.monotonic() + 2 * WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.01)


def _is_up(control):
    try:
        return control.get("/healthz").is_success
    except httpx.TransportError:
        return False


def _environment(switch_url):
    entry = settings.DATABASES["default"]
    address = (
        f"postgresql://{entry['USER']}:{entry['PASSWORD']}@{entry['HOST']}:{entry['PORT']}"
        f"/{entry['NAME']}"
    )
    return os.environ | {
        "DATABASE_URL": address,
        "SWITCH_URL": switch_url,
        "DJANGO_SETTINGS_MODULE": "upi_platform.settings.test",
        "LOG_LEVEL": "ERROR",
    }


def _handset(payer):
    device = payer.person.device
    return Handset(
        device_id=payer.person.device_id,
        key=payer.person.key,
        mobile=payer.side.mobile,
        identifier=device.identifier,
        app_id=device.app,
    )


def is_at_rest(txn_id):
    """Ended; or unknown, and the switch was asked and had no proof: only a file can tell more."""
    return all(
        is_final(Role(leg.role), State(leg.state))
        or (leg.state == "UNKNOWN" and has_been_answered(leg))
        for leg in Leg.objects.filter(transaction_id=txn_id)
    )


def has_been_answered(leg):
    return StatusCheck.objects.filter(leg_id=leg.pk, answered_at__isnull=False).exists()
