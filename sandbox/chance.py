"""Faults by chance: a seed decides the fate of each message, the same in every run."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.codec import Envelope

REORDER = "reorder"
# A reordered message is held back for up to so many seconds: others overtake it.
_REORDER_SECONDS_MAX = 2.0
_WHOLE = float(2**64)


@dataclass(slots=True)
class Chance:
    """
    How likely each kind of fault is, in the order given.

    The n-th message of a kind (for the switch: direction, API, type, subType) meets the same fate
    in every run with the same seed and rates, whatever its ids are.
    """

    seed: int
    rates: Mapping[str, float]
    delay_seconds: float
    met: Counter[str] = field(default_factory=Counter)
    _seen: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def fate(self, direction: str, envelope: Envelope) -> tuple[str, float] | None:
        """Return what happens to this message and, for a late one, how many seconds later."""
        return self.fate_of(direction, envelope.api, envelope.type, envelope.sub_type)

    def fate_of(self, *kind: str) -> tuple[str, float] | None:
        """Return what happens to the next message of this kind, as `fate` does."""
        self._seen[kind] += 1
        text = "|".join((str(self.seed), *kind, str(self._seen[kind])))
        digest = hashlib.sha256(text.encode()).digest()
        drawn, share = (int.from_bytes(part) / _WHOLE for part in (digest[:8], digest[8:16]))
        for name, rate in self.rates.items():
            if drawn < rate:
                self.met[name] += 1
                longest = _REORDER_SECONDS_MAX if name == REORDER else self.delay_seconds
                return name, share * longest
            drawn -= rate
        return None
