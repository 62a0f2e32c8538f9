"""Values that must never be shown."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, repr=False)
class Secret(Generic[T]):
    """Holds a value that no log, error or page may print; `reveal` is easy to search for."""

    _value: T

    def reveal(self) -> T:
        """Return the value, for the one place that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"
