"""A merchant of another bank, who asks a customer of ours for money."""

from dataclasses import dataclass, field
from typing import Any

from conformance.case import AMOUNT_PAISE, Stage
from conformance.cases.payment import NOTHING, PAID, Order, order_faults
from conformance.declines import expect_code
from sandbox import ids

STORE = "store1@smplbank"
OTHER_STORE = "store2@secondbank"


@dataclass(slots=True)
class Asking:
    """A merchant of another bank asks our customer for money."""

    stage: Stage
    payee: str = STORE
    minutes: int = 30
    paise: int = AMOUNT_PAISE
    transaction_id: str = field(init=False)

    def __post_init__(self) -> None:
        self.transaction_id = ids.new_id("SEC" if self.payee == OTHER_STORE else "SMP")
        self.stage.transaction_ids.append(self.transaction_id)

    def fault(self, *orders: Order) -> "Asking":
        """Let messages of it meet faults."""
        order_faults(self.stage, self.transaction_id, *orders)
        return self

    def send(self) -> "Asking":
        """Let the merchant ask."""
        stage = self.stage
        order = {
            "payer": stage.payer.vpa,
            "payee": self.payee,
            "amount_paise": self.paise,
            "expire_minutes": self.minutes,
            "txn_id": self.transaction_id,
        }
        stage.control.call("POST", "/collects", order)
        return self

    def shown(self, wanted: str = "", *, waits_seconds: float = 0) -> dict[str, Any]:
        """Return it as the customer's app shows it: final or as wanted, or waiting for a word."""

        def look() -> dict[str, Any]:
            found = self.stage.payer.phone.collects()
            mine = [each for each in found if each["txn_id"] == self.transaction_id]
            return mine[0] if mine else {"status": "", "finality": "", "failure": None}

        def is_there(shown: dict[str, Any]) -> bool:
            if not wanted:
                return bool(shown["status"])
            return bool(shown["status"] == wanted)

        return self.stage.until(look, is_there, waits_seconds=waits_seconds)

    def approve(self, pin: str = "", *, key: str = "") -> dict[str, Any]:
        """Let the customer pay what is asked."""
        payer = self.stage.payer
        return payer.phone.approve_collect(
            self.shown(), account_id=payer.account_id, pin=pin or payer.pin, idempotency_key=key
        )

    def decline(self, *, is_requester_blocked: bool = False) -> None:
        """Let the customer say no."""
        shown = self.shown()
        self.stage.payer.phone.decline_collect(shown, is_requester_blocked=is_requester_blocked)

    def expect(self, status: str, code: str = "", *, waits_seconds: float = 0) -> None:
        """Hold the switch and the customer's app to how it must have ended."""
        stage = self.stage
        ended = stage.control.payment(self.transaction_id) or {}
        word = "SUCCESS" if status == "succeeded" else "FAILURE"
        stage.expect("the switch says", found=ended.get("status"), wanted=word)
        stage.expect("the switch's code", found=ended.get("code"), wanted=code)
        shown = self.shown(status, waits_seconds=waits_seconds)
        stage.expect("the app shows", found=shown["status"], wanted=status)
        # The payer's own PSP said no itself: its customer is shown the plain code.
        expect_code(stage, shown, code.removeprefix("U19~"))
        stage.expect_entries(self.transaction_id, NOTHING if code else PAID)
