"""How long a claim may still be worked on: a batch stops at half its lease."""

import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Lease:
    """
    A claim's time, from just before it was taken.

    There is no heartbeat: whoever is slower than half the lease gives back what it has not begun,
    so that nothing is begun under a claim that may already be somebody else's.
    """

    seconds: float
    begun: float = field(default_factory=time.monotonic)

    @property
    def is_half_over(self) -> bool:
        """Say whether nothing more may be begun."""
        return time.monotonic() - self.begun > self.seconds / 2
