"""What crosses the door of this app."""

import datetime as dt
import uuid
from dataclasses import dataclass
from enum import StrEnum

from apps.upi.contracts import AccountAddress, MerchantBlock


class VpaKind(StrEnum):
    """Who is behind an address; the wire's Party/@type."""

    PERSON = "PERSON"
    ENTITY = "ENTITY"


class ClosedBy(StrEnum):
    """Who lets an address take no payments for now."""

    OWNER = "OWNER"
    PSP = "PSP"


# upi-protocol 4.4: the address has expired, is restricted by its owner, or by its PSP.
EXPIRED = "UX"
_CLOSED = {ClosedBy.OWNER: "ZG", ClosedBy.PSP: "ZE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedVpa:
    """Everything the wire asks of an address of ours: account, verified name, merchant block."""

    vpa_id: uuid.UUID
    address: str
    kind: VpaKind
    mcc: str
    verified_name: str
    account: AccountAddress
    merchant: MerchantBlock | None
    expires_at: dt.datetime | None = None
    closed_by: ClosedBy | None = None

    def refusal(self, *, at: dt.datetime) -> str:
        """Return the code with which the address takes no payment, "" if it does."""
        if self.expires_at is not None and self.expires_at <= at:
            return EXPIRED
        return "" if self.closed_by is None else _CLOSED[self.closed_by]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who wants to know whose an address is: the payer to be, as the wire names him."""

    client: str
    address: str
    name: str
    kind: VpaKind = VpaKind.PERSON
    mcc: str = "0000"
