"""What crosses the door of this app."""

import uuid
from dataclasses import dataclass
from enum import StrEnum

from apps.upi.contracts import AccountAddress, MerchantBlock


class VpaKind(StrEnum):
    """Who is behind an address; the wire's Party/@type."""

    PERSON = "PERSON"
    ENTITY = "ENTITY"


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
