"""Write down what clients asked and heard, with the clock that never goes back, one line a call."""

import functools
import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from conformance.person import Person
from conformance.place import Control
from sandbox.phone import RefusedError


class Recorder:
    """One JSON document a line; several threads may write."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8")
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Record."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._file.close()

    def write(self, kind: str, facts: Mapping[str, Any]) -> None:
        """Append a line."""
        line = json.dumps({"kind": kind, **facts}, separators=(",", ":"), ensure_ascii=False)
        with self._lock:
            self._file.write(line + "\n")

    def pay(self, person: Person, order: Mapping[str, Any], *, key: str) -> None:
        """Send a payment's body under a key, and record what was asked and what came of it."""
        asked = {
            "client": person.account_id,
            "key": key,
            "txn_id": order["txn_id"],
            "payer": order["payer_vpa"],
            "payee": order["payee_vpa"],
            "amount_paise": order["amount"],
        }
        self._call(
            "pay", asked, lambda: person.phone.send_payment(dict(order), idempotency_key=key)
        )

    def read(self, person: Person, transaction_id: str, *, is_last: bool = False) -> str:
        """Ask how a payment stands, record it, and return its finality (empty: not known)."""
        asked = {"client": person.account_id, "txn_id": transaction_id, "is_last": is_last}
        shown = self._call("read", asked, lambda: person.phone.payment(transaction_id))
        return str(shown.get("finality", ""))

    def watch(self, person: Person, transaction_id: str, *, seconds: float) -> str:
        """Ask once and be answered when the payment has ended, or after so long; recorded alike."""
        asked = {"client": person.account_id, "txn_id": transaction_id, "is_last": False}
        act = functools.partial(person.phone.wait_payment, transaction_id, seconds=seconds)
        return str(self._call("read", asked, act).get("finality", ""))

    def balance(self, person: Person, *, when: str) -> bool:
        """Record a balance, and return whether it was told; `when` is before or after."""
        person.log_in()
        begun = time.monotonic_ns()
        asked = (person.balance_paise() for _ in range(_BALANCE_ATTEMPTS_MAX))
        paise = next((told for told in asked if told is not None), None)
        facts = {"vpa": person.vpa, "when": when, "paise": paise}
        self.write("balance", facts | {"invoked_ns": begun, "returned_ns": time.monotonic_ns()})
        return paise is not None

    def journal(self, control: Control, transaction_id: str) -> None:
        """Record what the switch wrote down of a transaction."""
        found = control.journal(transaction_id)
        shown = found["payment"] or {}
        kept = ("status", "code", "raw_code", "amount_paise", "payer", "payee", "stage")
        payment = {name: shown[name] for name in kept if name in shown}
        messages = [
            {name: row[name] for name in _KEPT_OF_MESSAGE}
            for row in found["messages"]
            if row["org_id"] == _BANK
        ]
        facts = {"txn_id": transaction_id, "payment": payment or None, "messages": messages}
        self.write("journal", facts | {"entries": [entry["kind"] for entry in found["entries"]]})

    def _call(
        self, name: str, asked: Mapping[str, Any], act: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        begun, shown = time.monotonic_ns(), {}
        try:
            shown = act()
            outcome: dict[str, Any] = {"outcome": "ok", "shown": _shown(shown)}
        except RefusedError as error:
            # A refusal of the platform is definite; a failure of it leaves all open.
            is_definite = error.status < httpx.codes.INTERNAL_SERVER_ERROR
            outcome = {"outcome": "refused" if is_definite else "unknown", "code": error.code}
            outcome["status"] = error.status
        except httpx.TransportError as error:
            outcome = {"outcome": "unknown", "code": type(error).__name__}
        ended = {"invoked_ns": begun, "returned_ns": time.monotonic_ns()}
        self.write(name, {**asked, **outcome, **ended})
        return shown


# On a machine that is busy the bank may not answer in time.
_BALANCE_ATTEMPTS_MAX = 3
_BANK = "900001"
_KEPT_OF_MESSAGE = (
    "at", "direction", "api", "type", "sub_type", "transaction_id", "original_id", "message_id",
    "request_message_id", "result", "code", "ack", "fault",
)  # fmt: skip
_KEPT_OF_PAYMENT = {
    "id", "txn_id", "amount", "status", "finality", "payer_vpa", "payee_vpa",
}  # fmt: skip


def _shown(payment: dict[str, Any]) -> dict[str, Any]:
    failure = payment.get("failure") or {}
    shown = {name: value for name, value in payment.items() if name in _KEPT_OF_PAYMENT}
    return shown | {"upi_code": failure.get("upi_code", "")}
