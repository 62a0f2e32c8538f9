"""
Refusals of messaging.

DomainError
├── IdempotencyKeyMissingError     400  the request must carry an Idempotency-Key
├── IdempotencyKeyInvalidError     400  the key is empty, too long or not printable ASCII
├── IdempotencyInProgressError     409  a twin of this request is being worked on
└── IdempotencyMismatchError       422  the key was used for another request

Not refusals (no caller is told their code):

MessagingError
├── ChannelUnavailableError        a channel did not take the message
├── EventRefusedError              an event cannot be read or carried; it is parked
└── RelayStoppedError              Kafka did not confirm in time; the events stay unpublished
"""

from typing import ClassVar

from apps.common.errors import ConflictError, DomainError, InvalidInputError


class IdempotencyKeyMissingError(InvalidInputError):
    """The request changes something and carries no Idempotency-Key."""

    code: ClassVar[str] = "idempotency_key_required"
    title: ClassVar[str] = "The header Idempotency-Key is required"


class IdempotencyKeyInvalidError(InvalidInputError):
    """The key is empty, longer than 255 characters, or not printable ASCII."""

    code: ClassVar[str] = "idempotency_key_invalid"
    title: ClassVar[str] = "The header Idempotency-Key is not valid"


class IdempotencyInProgressError(ConflictError):
    """A request with the same key is being worked on; nothing was stored for this one."""

    code: ClassVar[str] = "in_progress"
    title: ClassVar[str] = "A request with this Idempotency-Key is in progress"


class IdempotencyMismatchError(DomainError):
    """The key belongs to a request with another content."""

    code: ClassVar[str] = "idempotency_mismatch"
    title: ClassVar[str] = "The Idempotency-Key was used for another request"
    http_status: ClassVar[int] = 422


class MessagingError(Exception):
    """Something outside did not do its part."""


class ChannelUnavailableError(MessagingError):
    """The channel did not take the message; it may be tried again."""


class EventRefusedError(MessagingError):
    """The event can never be read or carried as it is."""


class RelayStoppedError(MessagingError):
    """Kafka did not confirm in time."""
