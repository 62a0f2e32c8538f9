"""Write orders and webhooks as the merchant API shows them."""

import datetime as dt
from typing import Any

from apps.common import clock, ids
from apps.merchants.models import Order, WebhookDelivery, WebhookEndpoint


def order(row: Order, *, at: dt.datetime) -> dict[str, Any]:
    """Return an order; one that was not paid in time is shown as expired."""
    is_paid = row.state == Order.State.PAID
    payment = {"txn_id": row.transaction_id, "rrn": row.rrn} if is_paid else None
    return {
        "object": "order",
        "id": ids.public_id("ord", row.pk),
        "livemode": row.is_live,
        "reference": row.reference,
        "amount": row.amount_paise,
        "currency": "INR",
        "status": status_of(row, at=at),
        "payee_vpa": row.merchant.vpa.address,
        "payee_name": row.merchant.name,
        "note": row.note,
        "metadata": row.metadata,
        "upi": payment,
        "created_at": clock.iso(row.created_at),
        "expires_at": clock.iso(row.expires_at),
        "paid_at": clock.iso(row.paid_at) if row.paid_at else None,
    }


def status_of(row: Order, *, at: dt.datetime) -> str:
    """Return created, paid or expired."""
    if row.state == Order.State.PAID:
        return "paid"
    return "expired" if at > row.expires_at else "created"


def endpoint(row: WebhookEndpoint) -> dict[str, Any]:
    """Return a webhook endpoint, without its secret."""
    return {
        "object": "webhook_endpoint",
        "id": ids.public_id("whk", row.pk),
        "livemode": row.is_live,
        "url": row.url,
        "status": row.state.lower(),
        "created_at": clock.iso(row.created_at),
    }


def delivery(row: WebhookDelivery) -> dict[str, Any]:
    """Return how the delivery of one event stands."""
    return {
        "object": "webhook_delivery",
        "id": ids.public_id("whd", row.pk),
        "event": ids.public_id("evt", row.event_id),
        "type": row.event_type,
        "status": row.state.lower(),
        "attempts": row.attempts,
        "created_at": clock.iso(row.created_at),
    }
