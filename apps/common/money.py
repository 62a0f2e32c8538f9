"""Money: an exact amount of Indian rupees."""

import re
from dataclasses import dataclass
from typing import Self

# UPI writes rupees with exactly two decimals, ASCII digits, no leading zero (18 digits at most
# with the decimals: upi-protocol, element Amount). Decimal() and \d accept far more than that.
_RUPEES = re.compile(rb"(?!0[0-9])([0-9]{1,16})\.([0-9]{2})")
_PAISE_PER_RUPEE = 100
_GROUP = 3


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in paise. Only INR exists here, so the currency is not carried."""

    paise: int

    def __post_init__(self) -> None:
        assert type(self.paise) is int, f"paise are whole: {self.paise!r}"

    @classmethod
    def from_rupees(cls, text: str) -> Self:
        """
        Read an amount as UPI writes it, such as "10.05".

        Raises ValueError for anything else: signs, spaces, exponents, other digits, fractions.
        """
        match = _RUPEES.fullmatch(text.encode("utf-8", "surrogatepass"))
        if match is None:
            raise ValueError("an amount is rupees with two decimals, such as 10.05")
        return cls(int(match[1]) * _PAISE_PER_RUPEE + int(match[2]))

    def as_rupees(self) -> str:
        """Write the amount as UPI does, such as "10.05"."""
        sign = "-" if self.paise < 0 else ""
        rupees, paise = divmod(abs(self.paise), _PAISE_PER_RUPEE)
        return f"{sign}{rupees}.{paise:02d}"

    def display(self) -> str:
        """Write the amount for people in lakh and crore groups, such as ₹1,23,456.78."""
        sign = "-" if self.paise < 0 else ""
        rupees, paise = divmod(abs(self.paise), _PAISE_PER_RUPEE)
        digits = str(rupees)
        head, tail = digits[:-_GROUP], digits[-_GROUP:]
        groups = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)][::-1]
        return f"{sign}₹{','.join([*groups, tail])}.{paise:02d}"

    def __add__(self, other: "Money") -> "Money":
        return Money(self.paise + other.paise)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.paise - other.paise)

    def __neg__(self) -> "Money":
        return Money(-self.paise)

    def __bool__(self) -> bool:
        return self.paise != 0


ZERO = Money(0)
