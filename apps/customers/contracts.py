"""What crosses the door of this app."""

import re
import uuid
from dataclasses import dataclass
from typing import Self

from apps.common.secret import Secret
from apps.customers.errors import InvalidBlockError
from apps.upi.contracts import AccountAddress, Credential, Device

# The form a switch accepts (upi-protocol 5.3); the text is for the HSMs, never for us.
_DATA = re.compile(r"2\.0\|[A-Za-z0-9+/]{16,4000}={0,2}")
_CHALLENGE = re.compile(r"[A-Za-z0-9+/]{16,1400}={0,2}")
_KEY_INDEX = re.compile(r"[0-9]{8}")
# Data/@code: encrypted for the switch's HSM (upi-protocol 3.3).
_CODE = "NPCI"
_MEMBERS = frozenset({"ki", "data"})


@dataclass(frozen=True, slots=True)
class SessionOwner:
    """Whose a device is, whether customer and device may act, and which session it has."""

    customer_id: uuid.UUID
    is_active: bool
    is_bound: bool
    session_number: int


@dataclass(frozen=True, slots=True)
class CustomerPrincipal:
    """Who makes a request: a customer on the device that is bound to them."""

    customer_id: uuid.UUID
    device_id: uuid.UUID
    is_authenticated: bool = True

    @property
    def client(self) -> str:
        """Return the scope of this customer's idempotency keys."""
        return f"customer:{self.customer_id}"


@dataclass(frozen=True, slots=True)
class CredentialBlock:
    """An encrypted credential from the device's PIN page, bound to one message."""

    ki: str
    data: Secret[str]

    @classmethod
    def parse(cls, value: object, *, field: str = "pin_block") -> Self:
        """Read `{"ki": "20150822", "data": "2.0|…"}`. Raises InvalidBlockError."""
        if type(value) is not dict or value.keys() != _MEMBERS:
            raise InvalidBlockError(field=field)
        ki, data = value["ki"], value["data"]
        if type(ki) is not str or not _KEY_INDEX.fullmatch(ki):
            raise InvalidBlockError(field=field)
        if type(data) is not str or not _DATA.fullmatch(data):
            raise InvalidBlockError(field=field)
        return cls(ki=ki, data=Secret(data))

    def as_pin(self) -> Credential:
        """Return the block as the credential of a UPI PIN."""
        return Credential(type="PIN", sub_type="MPIN", code=_CODE, ki=self.ki, data=self.data)

    def as_otp(self) -> Credential:
        """Return the block as the credential of an OTP that came by SMS."""
        return Credential(type="OTP", sub_type="SMS", code=_CODE, ki=self.ki, data=self.data)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a phone's common library made for the switch, encrypted to the switch's key `ki`."""

    ki: str
    data: Secret[str]

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read `{"ki": "20150822", "data": "…"}`. Raises InvalidBlockError."""
        if type(value) is not dict or value.keys() != _MEMBERS:
            raise InvalidBlockError(field="challenge")
        ki, data = value["ki"], value["data"]
        if type(ki) is not str or not _KEY_INDEX.fullmatch(ki):
            raise InvalidBlockError(field="challenge")
        if type(data) is not str or not _CHALLENGE.fullmatch(data):
            raise InvalidBlockError(field="challenge")
        return cls(ki=ki, data=Secret(data))


@dataclass(frozen=True, slots=True)
class Payer:
    """What the wire must be told of a customer who pays or asks."""

    customer_id: uuid.UUID
    account_id: uuid.UUID
    name: str
    mobile: str
    account: AccountAddress
    device: Device


@dataclass(frozen=True, slots=True)
class Session:
    """A session that has just begun; the token is shown this once."""

    token: Secret[str]
    customer_id: uuid.UUID
    name: str
    address: str
    life_seconds: int
