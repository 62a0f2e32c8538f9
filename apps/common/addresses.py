"""Virtual payment addresses as text: one grammar, read in one place."""

import re
from dataclasses import dataclass
from typing import Self

# upi-protocol 6.1: user part and handle are ASCII; the whole is at most 255 characters.
_ADDRESS = re.compile(r"([a-z0-9][a-z0-9.\-_]{0,253})@([a-z][a-z0-9.]{1,63})")
_LENGTH_MAX = 255
# upi-protocol 3.6: the branch of an account that stands in the place of a name.
_BRANCH = re.compile(r"([a-z]{4}0[a-z0-9]{6})\.ifsc\.npci")


@dataclass(frozen=True, slots=True)
class VpaAddress:
    """An address such as asha@exbank, in lower case."""

    user: str
    handle: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Read an address; case does not matter.

        Raises ValueError for whatever is not one, including letters that only look like ASCII.
        """
        match = _ADDRESS.fullmatch(text.lower()) if text.isascii() else None
        if match is None or len(text) > _LENGTH_MAX:
            raise ValueError("an address is name@handle")
        return cls(user=match[1], handle=match[2])

    @property
    def branch(self) -> str:
        """Return the IFSC where the address names an account of a branch, "" where it does not."""
        match = _BRANCH.fullmatch(self.handle)
        return match[1].upper() if match else ""

    def __str__(self) -> str:
        return f"{self.user}@{self.handle}"
