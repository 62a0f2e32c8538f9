"""Do for a while what people and networks do to a bank, and record all of it."""

import functools
import itertools
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from conformance.history.recorder import Recorder
from conformance.people import Pool
from conformance.person import Person, other_pin
from conformance.place import TIMEOUT_SECONDS, Control, Place, wait_until
from sandbox import ids
from sandbox.phone import RefusedError

# A customer may pay twenty times a day.
PAYMENTS_OF_PERSON = 18
# Most payments end by then; the others are asked for once more when all has settled.
_WATCH_SECONDS = 4.0
_SMALLEST_PAISE = 1_00
_CHECK_SECONDS = 95
# An end that was lost twice is found by the second status check, minutes later.
_SETTLE_SECONDS = 600.0
_CONNECTIONS = httpx.Limits(max_connections=200, max_keepalive_connections=100)
_ABROAD = ("success@sandbox", "ravi@smplbank", "fail.xi@sandbox", "duplicate@sandbox")
_FINAL = "final"
_AT_ONCE = 8
T = TypeVar("T")
# How often people do what they should not, or do it twice.
_DOUBLE_TAP, _OTHER_BODY, _WRONG_PIN, _TO_ABROAD, _FROM_ABROAD = 0.1, 0.03, 0.03, 0.12, 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is done, by how many at once, under which faults; the seed decides the rest."""

    payments: int
    lanes: int
    seed: int
    rates: Mapping[str, float]

    @property
    def people(self) -> int:
        """Return how many customers it takes."""
        return max(2 * self.lanes, -(-self.payments // PAYMENTS_OF_PERSON))


@dataclass(slots=True)
class Run:
    """One run: its customers in lanes, and every transaction that it began."""

    place: Place
    plan: Plan
    recorder: Recorder
    control: Control
    people: list[Person]
    transactions: dict[str, Person | None] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def play(self, told: Callable[[int], None]) -> None:
        """Pay and be paid under faults, let everything settle, and record how it ended."""
        self._of_all(self.people, lambda person: self.recorder.balance(person, when="before"))
        chance = {"seed": self.plan.seed, "delay_seconds": 1, "rates": dict(self.plan.rates)}
        self.control.call("POST", "/random_faults", chance)
        try:
            counter = itertools.count()
            with ThreadPoolExecutor(self.plan.lanes) as threads:
                work = [
                    threads.submit(self._work, lane, counter, told)
                    for lane in range(self.plan.lanes)
                ]
            for done in work:
                done.result()
        finally:
            met = self.control.call("GET", "/random_faults")["met"]
            self.control.call("POST", "/random_faults", chance | {"rates": {}})
        self.recorder.write("faults", {"met": met})

    def settle(self, *, seconds: float | None = None) -> None:
        """Wait until every payment has ended, or nothing more is to be expected."""
        scale = max(self.place.platform_scale, self.control.scale())
        usual = _CHECK_SECONDS * scale + _SETTLE_SECONDS
        deadline = time.monotonic() + (usual if seconds is None else seconds)
        waiting = {
            key: person
            for key, person in self.transactions.items()
            if person is not None and key not in self.ended
        }
        while waiting and time.monotonic() < deadline:
            for transaction_id, person in list(waiting.items()):
                person.log_in()
                is_final = self.recorder.read(person, transaction_id) == _FINAL
                if is_final or self._is_hopeless(transaction_id):
                    del waiting[transaction_id]
            time.sleep(1)

    def record_end(self) -> None:
        """Read every payment, every balance and the switch's journal for the last time."""
        own: dict[str, list[str]] = {}
        for transaction_id, person in self.transactions.items():
            own.setdefault(person.vpa if person is not None else "", []).append(transaction_id)

        def end(person: Person) -> None:
            person.log_in()
            for transaction_id in own.get(person.vpa, ()):
                self.recorder.read(person, transaction_id, is_last=True)
            if not self.recorder.balance(person, when="after"):
                # Whoever has mistyped the PIN too often in a row must set a new one.
                person.register_pin(self.control)
                self.recorder.balance(person, when="after")

        self._of_all(self.people, end)
        self._of_all(self.transactions, functools.partial(self.recorder.journal, self.control))

    def _of_all(self, these: Iterable[T], act: Callable[[T], object]) -> None:
        """Do it for each, some at once: a person's phone is held by one thread."""
        with ThreadPoolExecutor(max(1, min(_AT_ONCE, self.plan.lanes))) as threads:
            for _ in threads.map(act, these):
                pass

    def _is_hopeless(self, transaction_id: str) -> bool:
        """Say whether no word is to come: deemed, or lost on its way to the switch."""
        found = self.control.journal(transaction_id)
        payment = found["payment"]
        if payment is None:
            return any(row["api"] == "ReqPay" and row["fault"] for row in found["messages"])
        return bool(payment["status"] == "DEEMED")

    def _work(
        self, lane: int, counter: "itertools.count[int]", told: Callable[[int], None]
    ) -> None:
        # S311: a run that can be repeated is what is wanted, not one that nobody can guess.
        draw = random.Random(f"{self.plan.seed}/{lane}")  # noqa: S311
        own = itertools.cycle(self.people[lane :: self.plan.lanes])
        while True:
            with self.lock:
                number = next(counter)
            if number >= self.plan.payments:
                return
            try:
                self._one(next(own), number, draw)
            except (httpx.TransportError, RefusedError) as error:
                # Whoever asks meets faults too: what was begun is looked for at the end.
                self.recorder.write("broken_off", {"number": number, "error": repr(error)})
            told(number)

    def _one(self, payer: Person, number: int, draw: random.Random) -> None:
        amount = _SMALLEST_PAISE + number
        if draw.random() < _FROM_ABROAD:
            self._from_abroad(payer, amount)
            return
        payer.log_in()
        order = self._order(payer, amount, draw)
        key = str(uuid.uuid4())
        with self.lock:
            self.transactions[order["txn_id"]] = payer
        self.recorder.pay(payer, order, key=key)
        if draw.random() < _DOUBLE_TAP:
            self.recorder.pay(payer, order, key=key)
        if draw.random() < _OTHER_BODY:
            self.recorder.pay(payer, self._order(payer, amount + 1, draw), key=key)
        self.recorder.read(payer, order["txn_id"])
        self.recorder.watch(payer, order["txn_id"], seconds=_WATCH_SECONDS)
        if self.recorder.read(payer, order["txn_id"]) == _FINAL:
            with self.lock:
                self.ended.add(order["txn_id"])

    def _order(self, payer: Person, amount: int, draw: random.Random) -> dict[str, Any]:
        others = [person for person in self.people if person is not payer]
        payee = draw.choice(others).vpa
        if draw.random() < _TO_ABROAD:
            payee = draw.choice(_ABROAD)
        choices = {"pin": other_pin(payer.pin)} if draw.random() < _WRONG_PIN else {}
        return payer.order(payee, amount, **choices)

    def _from_abroad(self, payee: Person, amount: int) -> None:
        transaction_id = ids.new_id("SMP")
        with self.lock:
            self.transactions[transaction_id] = None
        order = {"payee": payee.vpa, "amount_paise": amount, "txn_id": transaction_id}
        self.control.call("POST", "/payments", order)
        wait_until(lambda: self._has_ended(transaction_id), seconds=TIMEOUT_SECONDS)

    def _has_ended(self, transaction_id: str) -> bool:
        found = self.control.call("GET", f"/payments/{transaction_id}")
        return bool(found["status"] != "PENDING")


def record(
    place: Place,
    plan: Plan,
    path: Path,
    *,
    told: Callable[[int], None] = lambda _: None,
    healed: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Make a run and record it; `healed` is called when it has settled. Return what was met."""
    with ExitStack() as stack:
        client = stack.enter_context(httpx.Client(timeout=TIMEOUT_SECONDS, limits=_CONNECTIONS))
        control = Control(place.control_url, client)
        pool = Pool(place)
        people = pool.take_with_pins(
            plan.people, client, control, at_once=min(_AT_ONCE, plan.lanes)
        )
        recorder = stack.enter_context(Recorder(path))
        recorder.write("run", {"seed": plan.seed, "rates": dict(plan.rates)})
        run = Run(place, plan, recorder, control, people)
        run.play(told)
        run.settle()
        healed()
        run.record_end()
        return {"transactions": len(run.transactions), "people": len(people)}
