"""Record our answers in the transaction that decides them, then send them until they are acked."""

from collections.abc import Sequence
from uuid import UUID

from apps.upi.contracts import Answer


def record_answers(answers: Sequence[Answer], *, claim: UUID | None) -> None:
    """
    Store answers in the caller's transaction.

    With `claim` they are the caller's to send at once by `send_answers` (LEASE_WIRE_SECONDS long);
    without, "upi.deliver" is woken on commit. An exchange is answered once: a second answer for
    it is a bug.
    """
    raise NotImplementedError


def send_answers(exchange_ids: Sequence[UUID], *, claim: UUID) -> None:
    """
    Sign and post the recorded answers that `claim` holds, and record their delivery.

    No transaction is open. What is not acked is sent again by "upi.deliver", until it expires.
    """
    raise NotImplementedError
