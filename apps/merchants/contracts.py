"""What crosses the door of this app."""

import datetime as dt
import uuid
from dataclasses import dataclass
from enum import StrEnum

from apps.common.money import Money


class Scope(StrEnum):
    """What an API key may do."""

    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    PAYMENTS_READ = "payments:read"
    COLLECTS_WRITE = "collects:write"
    REFUNDS_WRITE = "refunds:write"
    WEBHOOKS_WRITE = "webhooks:write"


@dataclass(frozen=True, slots=True)
class MerchantPrincipal:
    """Who makes a request: a merchant, by one of its keys."""

    merchant_id: uuid.UUID
    key_id: uuid.UUID
    is_live: bool
    scopes: frozenset[str]
    is_authenticated: bool = True

    @property
    def client(self) -> str:
        """Return the scope of this merchant's idempotency keys: test and live are apart."""
        return f"merchant:{self.merchant_id}:{'live' if self.is_live else 'test'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPayment:
    """Money that reached an address of ours with a reference: it may pay an order."""

    txn_id: str
    payee_vpa: str
    ref_id: str
    amount: Money
    paid_at: dt.datetime
    rrn: str


class Verdict(StrEnum):
    """What a payment did for the order that it names."""

    PAID = "PAID"
    DUPLICATE = "DUPLICATE"
    EXPIRED = "EXPIRED"
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    NONE = "NONE"


class QrStatus(StrEnum):
    """How a QR code stands, as APIs show it."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fulfilment:
    """
    The verdict on one payment; `is_repeat` says that it had been given before.

    Whoever acts on a verdict (a refund for a DUPLICATE) acts on the first one only.
    """

    txn_id: str
    verdict: Verdict
    is_repeat: bool
    order_id: uuid.UUID | None
