"""The stage: customers with phones, a merchant, the switch's control door, and our own books."""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import django
import httpx
from django.apps import apps

from deploy.local.demo.page import Page
from deploy.local.platform import Platform
from sandbox import keys
from sandbox.phone import Handset, Phone

_TIMEOUT_SECONDS = 60.0
_WAIT_SECONDS = 60.0
_LOOK_SECONDS = 0.1
# On a machine that is busy with other things, a gateway's answer may come too late.
_OTPS_ASKED_MAX = 3
_OTP = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer with a phone in hand."""

    name: str
    phone: Phone
    account_id: str
    vpa: str
    pin: str
    card: tuple[str, str]

    def pay(self, payee: str, amount_paise: int, **choices: Any) -> dict[str, Any]:
        """Pay and return the payment once it has ended."""
        accepted = self.start(payee, amount_paise, **choices)
        return self.phone.wait_payment(accepted["txn_id"], seconds=_WAIT_SECONDS)

    def start(self, payee: str, amount_paise: int, **choices: Any) -> dict[str, Any]:
        """Start a payment and return it as it was accepted."""
        return self.phone.pay(
            account_id=self.account_id,
            payer=self.vpa,
            payee=payee,
            amount_paise=amount_paise,
            **{"pin": self.pin, **choices},
        )


class Stage:
    """Everything an act needs."""

    # One PIN for each: the demonstration's own secret, told to nobody but the PIN page.
    _PINS = {"asha": "274913", "ravi": "836150", "meera": "509274", "kiran": "618302"}

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.client = httpx.Client(timeout=_TIMEOUT_SECONDS)
        self._folder = platform.directory.root / "phones"
        self.shop: dict[str, Any] = json.loads((self._folder / "merchant.json").read_text())
        self._switch_key = keys.load_public(
            (Path(platform.environment["KEYS_DIRECTORY"]) / "NPCI.credential.pem").read_bytes()
        )
        self.customers = {name: self._customer(name, pin) for name, pin in self._PINS.items()}

    @classmethod
    @contextmanager
    def open(cls, platform: Platform) -> Iterator[Self]:
        """Open the stage; the books are read as any service of the platform would read them."""
        if not apps.ready:
            os.environ.update(platform.environment | {"LOG_LEVEL": "ERROR"})
            django.setup()
        stage = cls(platform)
        try:
            yield stage
        finally:
            stage.client.close()

    def __getitem__(self, name: str) -> Customer:
        """Return a customer by name."""
        return self.customers[name]

    @property
    def public_url(self) -> str:
        """Where apps and merchants reach the platform."""
        return self.platform.urls["public"]

    def set_pins(self, page: Page) -> None:
        """Register every customer's UPI PIN the only way there is: through the wire."""
        for customer in self.customers.values():
            customer.phone.login()
            state = self.register_pin(customer)
            page.expect(f"{customer.name} has a UPI PIN", found=state, wanted="succeeded")

    def register_pin(self, customer: Customer) -> str:
        """Ask for an OTP, again if none is sent, read it, set the PIN; return how that ended."""
        digits, expiry = customer.card
        if not any(self._is_sent_otp(customer) for _ in range(_OTPS_ASKED_MAX)):
            return "no OTP was sent"
        done = customer.phone.set_pin(
            customer.account_id,
            otp=self.read_otp(customer.phone.handset.mobile),
            pin=customer.pin,
            card_digits=digits,
            card_expiry=expiry,
        )
        return str(done["status"])

    def _is_sent_otp(self, customer: Customer) -> bool:
        digits, expiry = customer.card
        asked = customer.phone.request_otp(
            customer.account_id, card_digits=digits, card_expiry=expiry
        )
        return bool(asked["status"] == "succeeded")

    def read_otp(self, mobile: str) -> str:
        """Return the newest OTP that was sent to a phone."""
        texts = self.control("GET", f"/sms?to={mobile}")["messages"]
        found = [_OTP.search(text["text"]) for text in texts]
        return [match[0] for match in found if match is not None][-1]

    def control(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Speak to the sandbox's control door."""
        response = self.client.request(method, self.platform.urls["control"] + path, json=body)
        response.raise_for_status()
        answer: dict[str, Any] = response.json() if response.content else {}
        return answer

    def merchant(self, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """Call the merchant API with the shop's key."""
        named = {"Authorization": f"Bearer {self.shop['api_key']}", **headers}
        response = self.client.request(method, self.public_url + path, json=body, headers=named)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer

    @contextmanager
    def faults(self, *faults: dict[str, Any]) -> Iterator[None]:
        """Let the switch misbehave for as long as the block runs."""
        for fault in faults:
            self.control("POST", "/faults", fault)
        try:
            yield
        finally:
            self.control("DELETE", "/faults")

    @contextmanager
    def hurried_switch(self, scale: float) -> Iterator[None]:
        """Let the switch wait for less than the rule book says, so that nobody here waits long."""
        self.control("POST", "/timers", {"scale": scale})
        try:
            yield
        finally:
            self.control("POST", "/timers", {"scale": 1.0})

    def wait_for(self, question: Any, *, seconds: float = _WAIT_SECONDS) -> bool:
        """Return whether a question was answered with yes in time."""
        deadline = time.monotonic() + seconds
        while not question():
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_SECONDS)
        return True

    def phone(self, handset: Handset) -> Phone:
        """Return an app on a handset."""
        return Phone(
            handset, api_url=self.public_url, switch_key=self._switch_key, client=self.client
        )

    def _customer(self, name: str, pin: str) -> Customer:
        facts = json.loads((self._folder / f"{name}.json").read_text())
        phone = self.phone(Handset.from_file(self._folder / f"{name}.json"))
        return Customer(
            name=name,
            phone=phone,
            account_id=facts["account_id"],
            vpa=facts["vpa"],
            pin=pin,
            card=(facts["card_digits"], facts["card_expiry"]),
        )
