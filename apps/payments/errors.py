"""
Refusals of the engine.

DomainError
├── NotFoundError (common)               no such payment, account or address, or not yours
├── TransactionIdTakenError (customers)  the Txn id stands for another request
├── PaymentLimitExceededError            the amount is over what one payment may be
├── PaymentNotRefundableError            the payment has not succeeded
├── RefundTooLateError                   the payment is too old to be given back online
├── RefundExceedsPaymentError            more than is left of the payment
├── LiveKeyRequiredError (merchants)     a test key may not move money
├── CollectNotAllowedError               the rules of the day forbid such a collect
├── OrderNotPayableError                 the order is paid, or has expired
└── CollectOverError                     the collect was answered before, or has expired

RefusedError (upi)                       the message gets a negative Ack, nothing is written
├── TransactionDiffersError            it contradicts what is known of the transaction
├── LegExistsError                     another request holds this job's key
├── TransactionUnknownError            it is about a transaction that we know nothing of
├── RefundUnknownError                 it debits without a PIN, and for no refund of ours
└── AnswerRefusedError                 it answers what cannot be answered so
"""

from typing import ClassVar

from apps.common.errors import ConflictError, DomainError
from apps.upi.errors import RefusedError


class PaymentLimitExceededError(DomainError):
    """The amount is over what one payment may be."""

    code: ClassVar[str] = "limit_exceeded"
    title: ClassVar[str] = "The amount is over the limit of one payment"


class PaymentNotRefundableError(ConflictError):
    """The payment has not succeeded: there is nothing to give back, or not yet."""

    code: ClassVar[str] = "payment_not_refundable"
    title: ClassVar[str] = "The payment has not succeeded"


class RefundTooLateError(DomainError):
    """The payment is older than an online refund may be."""

    code: ClassVar[str] = "refund_too_late"
    title: ClassVar[str] = "The payment is too old to be refunded online"


class RefundExceedsPaymentError(DomainError):
    """More is asked for than is left of the payment."""

    code: ClassVar[str] = "refund_exceeds_payment"
    title: ClassVar[str] = "The refund is more than is left of the payment"


class CollectNotAllowedError(DomainError):
    """The rules of the day forbid collects of this kind."""

    code: ClassVar[str] = "collect_not_allowed"
    title: ClassVar[str] = "Such a collect is not allowed"


class OrderNotPayableError(ConflictError):
    """The order is paid, or its time is over."""

    code: ClassVar[str] = "order_not_payable"
    title: ClassVar[str] = "The order can no longer be paid"


class CollectOverError(ConflictError):
    """The collect was answered before, or its time is over."""

    code: ClassVar[str] = "collect_over"
    title: ClassVar[str] = "The collect can no longer be answered"


class TransactionDiffersError(RefusedError):
    """The message contradicts what is known of its transaction; `field` says in what."""

    code: ClassVar[str] = "transaction_differs"
    title: ClassVar[str] = "The message contradicts its transaction"

    def __init__(self, field: str) -> None:
        """Refuse with the switch's own code for the field that differs."""
        super().__init__(_DIFFERENCE.get(field, "U07"), f"{field} differs from what is known")
        self.field = field


# upi-protocol 4.7: the switch's codes for what differs between messages of one transaction.
_DIFFERENCE = {"amount": "U12", "payer_address": "U60", "payee_address": "U59", "id": "U06"}


class LegExistsError(RefusedError):
    """Another request, with another content, holds the key of this job."""

    code: ClassVar[str] = "leg_exists"
    title: ClassVar[str] = "The job exists already"

    def __init__(self) -> None:
        """Refuse with U01, duplicate request."""
        super().__init__("U01", "another request holds this job")


class TransactionUnknownError(RefusedError):
    """The message is about a transaction that we know nothing of."""

    code: ClassVar[str] = "transaction_unknown"
    title: ClassVar[str] = "The transaction is not known"

    def __init__(self) -> None:
        """Refuse with U48, transaction id not present."""
        super().__init__("U48", "the transaction is not known")


class RefundUnknownError(RefusedError):
    """The debit names no refund of ours that is under way: without a PIN nothing else is taken."""

    code: ClassVar[str] = "refund_unknown"
    title: ClassVar[str] = "There is no such refund"

    def __init__(self) -> None:
        """Refuse with U51, refund request not found."""
        super().__init__("U51", "no refund of ours is under way with it")


class AnswerRefusedError(RefusedError):
    """The message answers something that cannot be answered so."""

    code: ClassVar[str] = "answer_refused"
    title: ClassVar[str] = "The answer does not fit its request"
