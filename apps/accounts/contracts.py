"""What crosses the issuer's door: accounts as others may see them, cards, and PIN tries."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from apps.common.masking import mask_account
from hsm.pin import PinAsk, PinBinding, PinVerdict, Verifier


@dataclass(frozen=True, slots=True)
class DebitCard:
    """The part of a card that proves it at registration: last six digits, expiry as MMYY."""

    digits: str = field(repr=False)
    expiry: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as a PSP, an operator or a page may see it; the number is for our books only."""

    account_id: int
    number: str = field(repr=False)
    ifsc: str
    account_type: str
    holder_name: str
    mobile: str = field(repr=False)
    state: str
    has_pin: bool
    is_joint: bool = False

    @property
    def masked_number(self) -> str:
        """The number with all but its last four digits hidden."""
        return mask_account(self.number)


class TryState(StrEnum):
    """
    What came of asking for an account's PIN row.

    TAKEN: it is ours, verify now. WAITING: another exchange has it, ask again. REFUSED: `code` is
    the answer, and no try was taken.
    """

    TAKEN = "TAKEN"
    WAITING = "WAITING"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class TryAsk:
    """
    An exchange asks to have its PIN verified.

    `mobile` is the device's, None where the message has none. With `takes_try` false the row is
    only held: a registration sets a PIN and proves none.
    """

    exchange_id: UUID
    account_number: str = field(repr=False)
    mobile: str | None = field(repr=False)
    binding: PinBinding
    takes_try: bool = True


@dataclass(frozen=True, slots=True)
class Try:
    """The answer to a TryAsk. `holder` is whom a WAITING one waits for."""

    exchange_id: UUID
    state: TryState
    account_id: int | None = None
    code: str = ""
    ask: PinAsk | None = field(default=None, repr=False)
    holder: UUID | None = None


@dataclass(frozen=True, slots=True)
class PinResult:
    """What the token said of a try. After a right PIN, `renewed` is what to keep from now on."""

    exchange_id: UUID
    account_id: int
    verdict: PinVerdict
    renewed: Verifier | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PinOutcome:
    """
    What was recorded of a try: `code` is "" for a right PIN, else the UPI code to decline with.

    `is_ours` is false when another claim has taken the row over; then nothing was recorded, and
    that claim will say.
    """

    exchange_id: UUID
    code: str
    is_ours: bool = True
