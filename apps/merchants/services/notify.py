"""Write down whom a fact must be told, and in which bytes."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import orjson
from django.db.models.functions import Now

from apps.common import clock, ids
from apps.merchants import selectors
from apps.merchants.models import WebhookDelivery
from apps.messaging import wakeups
from apps.messaging.contracts import ReceivedEvent
from apps.upi.response_codes import explain

# What a webhook says: made of the fact and of whose it is.
Document = Callable[[ReceivedEvent, UUID], Mapping[str, Any]]

STEP = "merchants.webhooks"
ORDER_PAID = "order.paid"
PAYMENT_FAILED = "payment.failed"
# A deemed refund has left the merchant and is not over: there is nothing to tell yet.
_REFUND_TYPES = {"SUCCEEDED": "refund.succeeded", "FAILED": "refund.failed"}


def notify_order_paid(event: ReceivedEvent, *, at: dt.datetime) -> None:
    """
    Make a delivery of a paid order for each endpoint of its merchant, in the open transaction.

    The bytes are written once: they are what is signed and sent, now and at every retry.
    """
    _deliver(event, ORDER_PAID, _order, at=at)


def notify_payment_failed(event: ReceivedEvent, *, at: dt.datetime) -> None:
    """Make a delivery of a failed payment for each endpoint of the merchant that it was for."""
    _deliver(event, PAYMENT_FAILED, _payment, at=at)


def notify_refund(event: ReceivedEvent, *, at: dt.datetime) -> None:
    """Make a delivery of a refund that ended for each endpoint of its merchant."""
    event_type = _REFUND_TYPES.get(event.data["state"])
    if event_type is not None:
        _deliver(event, event_type, _refund, at=at)


def _deliver(
    event: ReceivedEvent, event_type: str, document_of: Document, *, at: dt.datetime
) -> None:
    merchant_id = ids.parse_public_id("mer", event.data["merchant_id"])
    assert merchant_id is not None, "the event's schema says so"
    endpoints = selectors.endpoints_to_tell(merchant_id, is_live=True)
    if not endpoints:
        return
    body = orjson.dumps(_envelope(event, event_type, document_of(event, merchant_id)))
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(
                endpoint=endpoint,
                event_id=event.id,
                event_type=event_type,
                body=body,
                created_at=at,
                next_action_at=Now(),
            )
            for endpoint in endpoints
        ],
        ignore_conflicts=True,
    )
    wakeups.wake_on_commit(STEP)


def _envelope(
    event: ReceivedEvent, event_type: str, document: Mapping[str, Any]
) -> Mapping[str, Any]:
    return {
        "object": "event",
        "id": ids.public_id("evt", event.id),
        "type": event_type,
        "created_at": clock.iso(event.occurred_at),
        "livemode": True,
        "sequence": event.sequence,
        "data": {"object": document},
    }


def _order(event: ReceivedEvent, _merchant_id: UUID) -> Mapping[str, Any]:
    fact = event.data
    return {
        "object": "order",
        "id": fact["order_id"],
        "reference": fact["reference"],
        "amount": fact["amount_paise"],
        "currency": "INR",
        "status": "paid",
        "upi": {"txn_id": fact["transaction_id"], "rrn": fact["rrn"]},
        "paid_at": fact["paid_at"],
    }


def _payment(event: ReceivedEvent, merchant_id: UUID) -> Mapping[str, Any]:
    fact = event.data
    order = selectors.live_order(selectors.merchant(merchant_id), fact["reference"])
    return {
        "object": "payment",
        "id": fact["payment_id"],
        "order": ids.public_id("ord", order.pk) if order else None,
        "collect": fact["collect_id"],
        "reference": fact["reference"],
        "amount": fact["amount_paise"],
        "currency": fact["currency"],
        "status": "failed",
        "finality": "final",
        "upi": {
            "txn_id": fact["transaction_id"],
            "rrn": fact["rrn"],
            "response_code": fact["response_code"],
        },
        "failure": explain(fact["response_code"]).as_document(),
        "ended_at": clock.iso(event.occurred_at),
    }


def _refund(event: ReceivedEvent, _merchant_id: UUID) -> Mapping[str, Any]:
    fact = event.data
    is_failed = fact["state"] == "FAILED"
    return {
        "object": "refund",
        "id": fact["refund_id"],
        "reference": fact["reference"],
        "amount": fact["amount_paise"],
        "currency": fact["currency"],
        "status": fact["state"].lower(),
        "finality": "final",
        "reason": fact["reason"].lower(),
        "upi": {
            "txn_id": fact["transaction_id"],
            "rrn": fact["rrn"],
            "original_txn_id": fact["original_transaction_id"],
            "response_code": fact["response_code"] or "00",
        },
        "failure": explain(fact["response_code"]).as_document() if is_failed else None,
        "ended_at": clock.iso(event.occurred_at),
    }
