"""What this app does when facts arrive."""

from apps.common import clock
from apps.merchants.services import notify
from apps.messaging.contracts import ReceivedEvent


def order_paid(event: ReceivedEvent) -> None:
    """Tell the merchant's endpoints that an order was paid."""
    notify.notify_order_paid(event, at=clock.now())


def payment_failed(event: ReceivedEvent) -> None:
    """Tell the merchant's endpoints that a payment to it, or a collect of its, failed."""
    notify.notify_payment_failed(event, at=clock.now())


def refund_completed(event: ReceivedEvent) -> None:
    """Tell the merchant's endpoints how a refund ended."""
    notify.notify_refund(event, at=clock.now())
