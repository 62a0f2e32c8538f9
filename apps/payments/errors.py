"""
Refusals of the engine.

DomainError
├── NotFoundError (common)               no such payment, account or address, or not yours
├── TransactionIdTakenError (customers)  the Txn id stands for another request
└── PaymentLimitExceededError            the amount is over what one payment may be

RefusedError (upi)                       the message gets a negative Ack, nothing is written
├── TransactionDiffersError            it contradicts what is known of the transaction
├── LegExistsError                     another request holds this job's key
├── TransactionUnknownError            it is about a transaction that we know nothing of
└── AnswerRefusedError                 it answers what cannot be answered so
"""

from typing import ClassVar

from apps.common.errors import DomainError
from apps.upi.errors import RefusedError


class PaymentLimitExceededError(DomainError):
    """The amount is over what one payment may be."""

    code: ClassVar[str] = "limit_exceeded"
    title: ClassVar[str] = "The amount is over the limit of one payment"


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


class AnswerRefusedError(RefusedError):
    """The message answers something that cannot be answered so."""

    code: ClassVar[str] = "answer_refused"
    title: ClassVar[str] = "The answer does not fit its request"
