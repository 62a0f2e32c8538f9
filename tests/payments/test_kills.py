"""
A process that is killed at any fault point resumes, and the payment is made once (payments.md 10).

The points are those that an on-us payment to a merchant passes, as a run records them. The web
part and the working part of the bank are real processes, and so is the switch. At each point in
turn a payment is made, the process that passes the point dies there by SIGKILL with all that it
was doing, and comes back.
"""

import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from django.conf import settings
from django.core.management import call_command

from apps.common import clock
from apps.ledger.selectors import books_sum
from apps.payments.models import Leg, StatusCheck
from apps.payments.open_items import open_items
from apps.payments.services.posting import leg_key
from apps.payments.states import Role, State, is_final
from apps.risk.models import LimitRule
from apps.settlement.selectors import our_sides
from apps.settlement.services.take_file import take_file
from sandbox.phone import Handset, Phone, RefusedError
from tests.api.people import Shop, open_shop
from tests.payments.hand import PIN
from tests.payments.payer import Payer, enrol_payer, shop_side
from tests.sandbox.conftest import free_port

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 30
TRIES_MAX = 5
PAISE = 100
# Where the points of the path are in the source, and which of them a good payment does not pass.
SOURCES = ("apps/payments", "apps/upi", "apps/accounts")
ELSEWHERE = {
    "account_request": "another path: OTP, PIN, balance",
    "credentials": "another path: OTP, PIN, balance",
    "otp": "another path: OTP",
    "check": "only when nobody told the end",
    "reversal": "only when the switch gives up",
    "debit.decline_answered": "only when a debit is declined",
}
# A request of the switch that dies before its commit is, to the switch, a bank that is not there:
# it fails the payment and reverses what it had done.
UNTAKEN = {
    "payee_psp.received.uncommitted",
    "upi.accepting",
    "debit.received.uncommitted",
    "credit.received.uncommitted",
}
# One that dies after it has no Ack either, but our answer may still come first; and while the web
# part comes back, the switch may find nobody to ask.
UNACKED = {
    "payment.accepted",
    "payee_psp.received",
    "upi.accepted",
    "debit.received",
    "credit.received",
}
# Claimed and never sent: nobody but the claim's holder knew, so it stays unknown, and is listed.
NEVER_SENT = {"payer_psp.claimed", "upi.request.signed"}
pytestmark = [pytest.mark.platform, pytest.mark.timeout(600)]


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

    def body(self):
        order = self.shop.order(amount=PAISE).json()
        return self.phone.payment_order(
            account_id=self.payer.account_id,
            payer=self.payer.address,
            payee=self.shop.address,
            amount_paise=PAISE,
            pin=PIN,
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

    def status(self, txn_id: str) -> str:
        shown = self.control.get(f"/payments/{txn_id}")
        return shown.json()["status"] if shown.is_success else "NEVER SEEN"

    def is_done_with(self, txn_id: str) -> bool:
        """Say whether the switch has told everybody, or never heard of it."""
        shown = self.control.get(f"/payments/{txn_id}")
        return not shown.is_success or shown.json()["stage"] == "DONE"


@pytest.fixture
def world(hand, gateway, tmp_path):
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


def record(world, tmp_path) -> list[str]:
    """Return the points that one good payment passes, in the order of their first passing."""
    trace = tmp_path / "trace"
    world.order(f"trace {trace}")
    txn_id = world.send(world.body())
    wait_until(lambda: is_at_rest(txn_id) and world.status(txn_id) == "SUCCESS")
    wait_until(lambda: trace.read_text().count("upi.answer.recorded") >= 4)
    world.order("trace ")
    return list(dict.fromkeys(trace.read_text().split()))


def points_in_the_source() -> set[str]:
    points: set[str] = set()
    for folder in SOURCES:
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text()
            points |= set(re.findall(r'fault_point\("([a-z_.]+)"\)', text))
            for name in re.findall(r'_passed\("([a-z_.]+)"\)', text):
                points |= {name, f"{name}.uncommitted"}
    return points


def is_elsewhere(point):
    return any(point == name or point.startswith(f"{name}.") for name in ELSEWHERE)


def test_a_process_killed_anywhere_resumes_and_the_payment_is_made_once(world, tmp_path):
    points = record(world, tmp_path)
    unpassed = {point for point in points_in_the_source() if not is_elsewhere(point)} - set(points)
    assert unpassed == set()

    paid = {}
    for point in points:
        *spared, txn_id = world.pay_and_die(point)
        wait_until(lambda txn_id=txn_id: is_at_rest(txn_id) and world.is_done_with(txn_id))
        paid |= dict.fromkeys(spared, "spared") | {txn_id: point}

    settle(world, paid)
    assert unexpected(world, paid) == {}
    assert wrong_books(world, paid) == {}
    assert books_sum().paise == 0


def settle(world, paid):
    """Take the switch's day file, as every bank does: it tells of reversals that never arrived."""
    for txn_id in paid:
        wait_until(lambda txn_id=txn_id: world.status(txn_id) != "PENDING")
    today = clock.business_date(clock.now())
    content = world.control.get("/dayfile", params={"date": today.isoformat()}).content
    take_file(content, date=today, is_complete=False)
    wait_until(lambda: all(is_at_rest(txn_id) for txn_id in paid))


def unexpected(world, paid):
    """Say where a payment did not end as it must: everywhere else it goes on to its end."""
    found = {point: world.status(txn_id) for txn_id, point in paid.items()}
    return {point: status for point, status in found.items() if status not in ends(point)}


def ends(point):
    if point in UNTAKEN:
        return {"FAILURE"}
    if point in UNACKED:
        return {"FAILURE", "SUCCESS"}
    return {"NEVER SEEN"} if point in NEVER_SENT else {"SUCCESS"}


def wrong_books(world, paid):
    """One debit, one credit, each as the switch's journal has it; what is not so, is listed."""
    positions = {
        row["txn_id"]: row for row in world.control.get("/journal/positions").json()["transactions"]
    }
    listed = {item.transaction_id for item in open_items()}
    sides = our_sides(list(paid))
    wrong = {}
    for txn_id, point in paid.items():
        side = sides[txn_id]
        found = (side.net_debit.paise, side.net_credit.paise)
        journal = positions.get(txn_id, {"payable_paise": 0, "receivable_paise": 0})
        theirs = (journal["payable_paise"], journal["receivable_paise"])
        legs = Counter(leg_key(job) for job in side.jobs)
        is_twice = max(legs.values()) > 1 or _times_sent(world, txn_id) > 1
        if is_twice or (found != theirs and txn_id not in listed):
            wrong[point] = (txn_id, found, theirs)
    return wrong


def _times_sent(world, txn_id):
    messages = world.control.get("/journal", params={"txn_id": txn_id}).json()["messages"]
    return sum(
        (message["api"], message["type"], message["ack"]) == ("ReqPay", "PAY", "")
        for message in messages
    )
