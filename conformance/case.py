"""What a case is, and the stage on which it is played."""

import enum
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from conformance.person import Person
from conformance.place import ARRIVAL_SECONDS, Control, Place
from sandbox.phone import RefusedError

_LOOK_SECONDS = 0.1
AMOUNT_PAISE = 7_00
T = TypeVar("T")


class Role(enum.StrEnum):
    """The part of the bank that a case examines; the value begins its cases' ids."""

    PAYER_PSP = "PSP"
    PAYEE_PSP = "PAY"
    REMITTER = "REM"
    BENEFICIARY = "BEN"


@dataclass(frozen=True, slots=True)
class Finding:
    """One promise of a case, and whether it held."""

    promise: str
    found: str
    wanted: str
    held: bool


@dataclass(slots=True)
class Stage:
    """What a case plays with: two customers of its own, the shop, and the control door."""

    place: Place
    control: Control
    payer: Person
    payee: Person
    fresh: Callable[[], Person]
    findings: list[Finding] = field(default_factory=list)
    transaction_ids: list[str] = field(default_factory=list)

    def expect(self, promise: str, *, found: object, wanted: object) -> None:
        """Note whether a promise held."""
        self.findings.append(Finding(promise, str(found), str(wanted), found == wanted))

    def expect_moves(self, moves: Mapping[str, int], *people: Person) -> None:
        """
        Ask each person's balance and hold it against what it was, by address of who moved.

        A person not named in `moves` must have what it had.
        """
        for person in people:
            wanted = self.balance_before(person) + moves.get(person.vpa, 0)
            found = person.balance_paise()
            self.expect(f"the balance of {person.vpa}", found=found, wanted=wanted)
            person.known_paise = found

    def expect_entries(self, transaction_id: str, wanted: tuple[str, ...]) -> None:
        """Hold what the switch's books have of a transaction against what they must have."""
        entries = self.control.journal(transaction_id)["entries"]
        kinds = tuple(sorted(entry["kind"] for entry in entries))
        self.expect("the switch's books", found=kinds, wanted=wanted)

    def balance_before(self, person: Person) -> int:
        """Return what a person has now, asked only if nobody knows it yet."""
        if person.known_paise is None:
            person.known_paise = person.balance_paise()
        assert person.known_paise is not None, f"{person.vpa} may ask for the balance"
        return person.known_paise

    def forget_balance(self, person: Person) -> None:
        """Ask anew next time: this case moves money that it does not follow."""
        person.known_paise = None

    def pay(self, order: dict[str, Any], **choices: Any) -> dict[str, Any]:
        """Send a payment from the payer's phone; it is part of the case's evidence."""
        self.transaction_ids.append(order["txn_id"])
        return self.payer.phone.send_payment(order, **choices)

    def refusal(self, act: Callable[[], object]) -> str:
        """Return `status code` with which the API refused; empty if it did not."""
        try:
            act()
        except RefusedError as error:
            return f"{error.status} {error.code}"
        return ""

    def until(
        self, look: Callable[[], T], is_as_wanted: Callable[[T], bool], *, waits_seconds: float = 0
    ) -> T:
        """Return what a look shows, given time to become as wanted; as it is after that."""
        scale = max(self.place.platform_scale, self.control.scale()) if waits_seconds else 0
        deadline = time.monotonic() + ARRIVAL_SECONDS + waits_seconds * scale
        while True:
            seen = look()
            if is_as_wanted(seen) or time.monotonic() > deadline:
                return seen
            time.sleep(_LOOK_SECONDS)

    def shown(
        self, transaction_id: str, *, wanted: str, waits_seconds: float = 0
    ) -> dict[str, Any]:
        """Return a payment as its payer's app shows it, given time to become as wanted."""
        return self.until(
            lambda: self.payer.phone.payment(transaction_id),
            lambda shown: bool(shown["status"] == wanted),
            waits_seconds=waits_seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    One case. `waits_seconds` is how long the rules make it wait, at a scale of one.

    A case that is not `is_clean` leaves something for a person or for the day file to settle.
    """

    id: str
    role: Role
    title: str
    given: str
    when: str
    then: str
    source: str
    play: Callable[[Stage], None]
    waits_seconds: float = 0
    is_clean: bool = True


@dataclass(slots=True)
class Verdict:
    """How a case went."""

    case: Case
    findings: list[Finding]
    transaction_ids: list[str]
    seconds: float
    error: str = ""

    @property
    def passed(self) -> bool:
        """Say whether everything that the case promises held."""
        return not self.error and bool(self.findings) and all(f.held for f in self.findings)

    @property
    def reason(self) -> str:
        """Return what did not hold, in a line."""
        broken = [f"{f.promise}: {f.found}, not {f.wanted}" for f in self.findings if not f.held]
        return self.error or "; ".join(broken) or ("" if self.findings else "nothing was looked at")
