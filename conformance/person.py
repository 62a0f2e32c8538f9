"""A customer of the bank with a phone in hand, and what is known of the account's balance."""

import re
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from conformance.place import Control, Place
from sandbox.phone import Handset, Phone

_PIN_DIGITS = 6
_ATTEMPTS_MAX = 3
# A session lives a quarter of an hour.
_SESSION_SECONDS = 600
_OTP = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")


@dataclass(slots=True)
class Person:
    """One customer; used by one thread at a time."""

    phone: Phone
    account_id: str
    vpa: str
    card: tuple[str, str]
    pin: str = field(repr=False)
    known_paise: int | None = None
    account_number: str = field(default="", repr=False)
    logged_in_at: float = float("-inf")

    @classmethod
    def of(cls, facts: dict[str, str], *, place: Place, client: httpx.Client) -> "Person":
        """Return the customer of a line of the seed, with a PIN thought up now."""
        phone = Phone(
            Handset.from_document(facts),
            api_url=place.public_url,
            switch_key=place.switch_key(),
            client=client,
        )
        return cls(
            phone=phone,
            account_id=facts["account_id"],
            vpa=facts["vpa"],
            card=(facts["card_digits"], facts["card_expiry"]),
            pin=new_pin(),
        )

    def log_in(self) -> None:
        """Begin a session, unless there is one that still lives for a while."""
        if time.monotonic() - self.logged_in_at > _SESSION_SECONDS:
            self.phone.login()
            self.logged_in_at = time.monotonic()

    def register_pin(self, control: Control) -> str:
        """
        Set the PIN with an OTP from the SMS inbox; return how that ended.

        It is what a case begins with: on a machine that is busy it is tried again.
        """
        for _ in range(_ATTEMPTS_MAX):
            if self.request_otp()["status"] != "succeeded":
                continue
            done = self.set_pin(self.read_otp(control), self.pin)
            if done["status"] == "succeeded":
                return "succeeded"
        return "failed"

    def request_otp(self) -> dict[str, Any]:
        """Ask the bank for an OTP."""
        digits, expiry = self.card
        return self.phone.request_otp(self.account_id, card_digits=digits, card_expiry=expiry)

    def set_pin(self, otp: str, pin: str) -> dict[str, Any]:
        """Register a PIN with an OTP."""
        digits, expiry = self.card
        return self.phone.set_pin(
            self.account_id, otp=otp, pin=pin, card_digits=digits, card_expiry=expiry
        )

    def read_otp(self, control: Control) -> str:
        """Return the newest OTP that was sent to the phone."""
        texts = control.call("GET", f"/sms?to={self.phone.handset.mobile}")["messages"]
        found = [_OTP.search(text["text"]) for text in texts]
        return [match[0] for match in found if match is not None][-1]

    def order(self, payee: str, amount_paise: int, **choices: Any) -> dict[str, Any]:
        """Return the body of a payment, its Txn.id minted and its PIN bound to it."""
        return self.phone.payment_order(
            account_id=self.account_id,
            payer=self.vpa,
            payee=payee,
            amount_paise=amount_paise,
            **{"pin": self.pin, **choices},
        )

    def resolve(self, address: str) -> dict[str, Any]:
        """Ask who is behind an address of this bank. Raises RefusedError."""
        return self.phone.resolve(address)

    def balance_paise(self) -> int | None:
        """Return the balance as the bank tells it over the wire; None if it was refused."""
        shown = self.phone.balance(self.account_id, pin=self.pin)
        balance: int | None = shown["balance"]
        return balance


def new_pin() -> str:
    """Return a PIN that nobody chose."""
    return "".join(secrets.choice("0123456789") for _ in range(_PIN_DIGITS))


def other_pin(pin: str) -> str:
    """Return a PIN that is not this one."""
    return "".join(str((int(digit) + 1) % 10) for digit in pin)
