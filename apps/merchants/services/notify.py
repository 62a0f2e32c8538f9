"""Write down whom a fact must be told, and in which bytes."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import orjson
from django.db.models.functions import Now

from apps.common import clock, ids
from apps.merchants import selectors
from apps.merchants.models import WebhookDelivery
from apps.messaging import wakeups
from apps.messaging.contracts import ReceivedEvent

STEP = "merchants.webhooks"
ORDER_PAID = "order.paid"


def notify_order_paid(event: ReceivedEvent, *, at: dt.datetime) -> None:
    """
    Make a delivery of a paid order for each endpoint of its merchant, in the open transaction.

    The bytes are written once: they are what is signed and sent, now and at every retry.
    """
    merchant_id = ids.parse_public_id("mer", event.data["merchant_id"])
    assert merchant_id is not None, "the event's schema says so"
    endpoints = selectors.endpoints_to_tell(merchant_id, is_live=True)
    if not endpoints:
        return
    body = orjson.dumps(_document(event))
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(
                endpoint=endpoint,
                event_id=event.id,
                event_type=ORDER_PAID,
                body=body,
                created_at=at,
                next_action_at=Now(),
            )
            for endpoint in endpoints
        ],
        ignore_conflicts=True,
    )
    wakeups.wake_on_commit(STEP)


def _document(event: ReceivedEvent) -> Mapping[str, Any]:
    fact = event.data
    return {
        "object": "event",
        "id": ids.public_id("evt", event.id),
        "type": ORDER_PAID,
        "created_at": clock.iso(event.occurred_at),
        "livemode": True,
        "sequence": event.sequence,
        "data": {
            "object": {
                "object": "order",
                "id": fact["order_id"],
                "reference": fact["reference"],
                "amount": fact["amount_paise"],
                "currency": "INR",
                "status": "paid",
                "upi": {"txn_id": fact["transaction_id"], "rrn": fact["rrn"]},
                "paid_at": fact["paid_at"],
            }
        },
    }
