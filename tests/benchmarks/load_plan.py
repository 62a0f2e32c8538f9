"""What crosses between a benchmark and the processes that load and listen for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Plan:
    """
    Which requests go where, how often, and by whose certificate; what follows each, if any.

    `begins_at` is an instant of the machine's monotonic clock; one that is over means at once.
    """

    port: int
    rate: float
    requests: Sequence[bytes]
    follows: Sequence[bytes] = ()
    certificates: Path | None = None
    begins_at: float = 0.0


@dataclass(frozen=True)
class Answer:
    """
    How long a request took from its intended start, and what came back.

    `last` and `last_seconds` are of what followed: the final answer, if there was one. `intended`
    is an instant of the machine's monotonic clock.
    """

    status: int
    seconds: float
    content: bytes
    last: bytes
    last_seconds: float
    intended: float


@dataclass(frozen=True)
class Heard:
    """A message as the counting peer got it, at an instant of the machine's monotonic clock."""

    api: str
    txn_id: str
    result: str
    at: float
