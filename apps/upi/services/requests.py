"""Open our requests in the transaction that decides them, then send each once."""

from collections.abc import Sequence

from apps.upi.contracts import Request, SendOutcome


def open_requests(requests: Sequence[Request]) -> None:
    """Write the exchanges of our requests, in the caller's transaction, before anything is sent."""
    raise NotImplementedError


def send_requests(requests: Sequence[Request]) -> list[SendOutcome]:
    """
    Sign and post opened requests, in parallel; record each Ack; return outcomes in the same order.

    No transaction is open. A request is posted once; only when no connection could be made, one
    second attempt follows. The peer's answer may come, and be handled, before this returns.
    """
    raise NotImplementedError
