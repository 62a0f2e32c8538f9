"""The bank as two processes that die and come back, the switch as a third, and a buyer."""

import datetime as dt
import json
import os
import queue
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
from cryptography.hazmat.primitives import serialization
from django.conf import settings
from django.core.management import call_command

from apps.common import ids
from apps.payments.models import Leg, StatusCheck
from apps.payments.states import Role, State, is_final
from apps.risk.models import LimitRule
from apps.upi.models import Exchange
from sandbox.phone import Handset, Phone, RefusedError
from tests import bank_host
from tests.api.people import Shop, open_shop
from tests.payments.hand import PIN
from tests.payments.payer import Payer, enrol_payer, shop_side
from tests.sandbox.conftest import free_port

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")
WAIT_SECONDS = 30
TRIES_MAX = 5
PAISE = 100
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


class Part:
    """A process of the bank, and what it says of its life."""

    def __init__(self, name: str, port: int, environment: dict[str, str], changes: str) -> None:
        self._said: queue.Queue[str] = queue.Queue()
        self.deaths = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.payments.mortal", name, str(port), changes],
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
    bank: httpx.Client
    pin: str = PIN
    sale: str = ""
    # On a busy machine a good payment may be asked about too; its end is told all the same.
    waits_for_checks: bool = False
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

    def pay(self) -> str:
        """Make a payment and return its transaction."""
        return self.send(self.body())

    def give_back(self) -> str:
        """Give a paisa of one sale back, and return the refund's transaction."""
        if not self.sale:
            txn_id = self.pay()
            self.wait_for_rest(txn_id)
            self.sale = ids.public_id(
                "pay", Leg.objects.get(transaction_id=txn_id, role="PAYEE_PSP").pk
            )
        asked = self.as_shop(f"/v1/payments/{self.sale}/refunds", {"amount": 1})
        return asked["upi"]["txn_id"]

    def collect(self) -> str:
        """Ask the customer for what an order costs; they agree, if they are asked at all."""
        return self._collect(self._approve)

    def refuse(self) -> str:
        """Ask the customer for what an order costs; they decline."""
        return self._collect(self.phone.decline_collect)

    def let_expire(self) -> str:
        """Ask the customer for what an order costs; they say nothing until it has expired."""
        txn_id = self._ask(expires_in_minutes=1)
        asked = Leg.objects.filter(transaction_id=txn_id, state="WAITING_PAYER")
        asked.update(expires_at=LONG_AGO, next_action_at=LONG_AGO)
        wait_until(lambda: not asked.exists())
        # Only now does the switch's minute end: here nobody may hear of it from the switch.
        assert self.control.post("/clock", json={"advance_seconds": 90}).is_success
        self.wait_for_rest(txn_id)
        assert self.control.delete("/clock").is_success
        return txn_id

    def _ask(self, **more: int) -> str:
        """Ask the customer for what an order costs, until they see it or it is over."""
        order = self.shop.order(amount=PAISE).json()["id"]
        body = {"order": order, "payer_vpa": self.payer.address} | more
        txn_id = self.as_shop("/v1/collects", body)["upi"]["txn_id"]
        wait_until(lambda: is_at_rest(txn_id) or self._is_asked(txn_id))
        return txn_id

    def _collect(self, answer: Callable[[dict[str, Any]], Any]) -> str:
        txn_id = self._ask()
        if not is_at_rest(txn_id):
            shown = self._until_answered(self.phone.collects)
            (wanted,) = [each for each in shown if each["txn_id"] == txn_id]
            self._until_answered(lambda: answer(wanted))
        return txn_id

    def _approve(self, asked: dict[str, Any]) -> None:
        try:
            self.phone.approve_collect(
                asked,
                account_id=self.payer.account_id,
                pin=self.pin,
                idempotency_key=asked["txn_id"],
            )
        except RefusedError as refusal:
            # A PIN block is never the same twice: the key is known, so the first one was taken.
            if refusal.code not in {"idempotency_mismatch", "collect_over"}:
                raise

    def _is_asked(self, txn_id: str) -> bool:
        return Leg.objects.filter(transaction_id=txn_id, state="WAITING_PAYER").exists()

    def as_shop(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask the bank as the shop's server does: until it is answered, with the same key."""
        headers = {
            "Authorization": f"Bearer {self.shop.key}",
            "Idempotency-Key": str(uuid.uuid4()),
        }

        def ask() -> dict[str, Any]:
            answer = self.bank.post(path, json=body, headers=headers)
            answer.raise_for_status()
            return answer.json()

        return self._until_answered(ask)

    def _until_answered(self, ask: Callable[[], T]) -> T:
        for _ in range(200):
            try:
                return ask()
            except (httpx.HTTPError, RefusedError):
                time.sleep(0.05)
        raise AssertionError("the bank never answered")

    def send(self, body) -> str:
        """Send a payment as an app does: until it is answered, with the same key."""
        key = body["txn_id"]
        sent = self._until_answered(lambda: self.phone.send_payment(body, idempotency_key=key))
        return sent["txn_id"]

    def order(self, line: str) -> None:
        for part in self.parts:
            part.order(line)

    @property
    def deaths(self) -> int:
        return sum(part.deaths for part in self.parts)

    def do_and_die(self, act: Callable[[], str], point: str) -> list[str]:
        """Act until a process has died at this point; return what was made, the last is the one."""
        before, paid = self.deaths, []
        self.order(f"fault {point}:{self.folder / point}")
        while self.deaths == before:
            assert len(paid) < TRIES_MAX, f"nobody died at {point}"
            paid.append(act())
            wait_until(lambda: self.deaths > before or is_at_rest(paid[-1]))
        # Whoever lived keeps his order, and would not obey it any more: the file is there.
        self.order("fault ")
        return paid

    def record(self, act: Callable[[], str]) -> list[str]:
        """Act, and return the points passed that nothing before has passed, in their order."""
        trace = self.folder / f"trace-{len(self.passed)}"
        self.order(f"trace {trace}")
        txn_id = act()
        self.wait_for_rest(txn_id)
        # The last answers are acknowledged after the last leg has ended.
        wait_until(lambda: all_answers_are_acked(txn_id))
        time.sleep(0.2)
        self.order("trace ")
        fresh = [
            each
            for each in dict.fromkeys(trace.read_text().split())
            if each not in self.passed and (self.waits_for_checks or not each.startswith("check."))
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
        changes = json.dumps(bank_host.settings_of_others(answer_seconds=1.5))
        parts += [Part(name, bank_port, environment, changes) for name in ("web", "work")]
        key = serialization.load_pem_public_key((keys / "NPCI.credential.pem").read_bytes())
        phone = Phone(_handset(payer), api_url=f"http://127.0.0.1:{bank_port}", switch_key=key)
        phone.login()
        bank = httpx.Client(base_url=f"http://127.0.0.1:{bank_port}", timeout=60)
        yield World(tuple(parts), control, phone, payer, shop, tmp_path, bank)
        bank.close()
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


def all_answers_are_acked(txn_id):
    answered = Exchange.objects.filter(direction="IN", txn_id=txn_id, answer_id__isnull=False)
    return not answered.exclude(state="ACKED").exists()


def has_been_answered(leg):
    return StatusCheck.objects.filter(leg_id=leg.pk, answered_at__isnull=False).exists()
