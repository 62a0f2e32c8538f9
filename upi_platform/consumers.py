"""Who listens to which events: consumer group to event type to handler."""

from collections.abc import Mapping

CONSUMERS: Mapping[str, Mapping[str, str]] = {
    "merchants": {
        "merchants.order.paid": "apps.merchants.consumers.order_paid",
        "payments.receipt.failed": "apps.merchants.consumers.payment_failed",
        "payments.refund.completed": "apps.merchants.consumers.refund_completed",
    },
}
