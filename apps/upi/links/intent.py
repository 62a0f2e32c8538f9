"""What a payment link says, once it is read: the same from a URI and from an EMV code."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from apps.common.addresses import VpaAddress
from apps.common.money import Money

DEFAULT_MCC = "0000"
DEFAULT_MODE = "00"
DEFAULT_PURPOSE = "00"

# Initiation modes (upi-protocol 3.4): which need a merchant reference, and which a signature.
DYNAMIC_MODES = frozenset({"15", "16", "22", "23"})
SECURE_MODES = frozenset({"02", "05", "13", "16", "17", "20", "23", "24"})
INTENT_MODES = frozenset({"04", "05"})
MANDATE_QR_MODES = frozenset({"13", "17", "21", "24"})
BHARAT_QR_MODE = "03"


class Action(StrEnum):
    """What the payer's app is asked to do; the host of the URI."""

    PAY = "pay"
    MANDATE = "mandate"
    COLLECT = "collect"


@dataclass(frozen=True, slots=True, kw_only=True)
class MandateTerms:
    """The terms of a mandate; what a link leaves out is empty or None."""

    kind: str = "CREATE"
    name: str = ""
    start_date: dt.date | None = None
    end_date: dt.date | None = None
    amount_rule: str = ""
    recurrence: str = ""
    recurrence_value: int | None = None
    recurrence_type: str = ""
    first_amount: Money | None = None
    is_revocable: bool | None = None
    is_shared: bool | None = None
    is_blocked: bool | None = None
    umn: str = ""
    skip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """
    A payment that somebody asks for.

    `amount` None: the payer enters it. `minimum`: the payer may change the amount, from there up
    to `amount`. `others` are parameters of the specification that only inform, in its order;
    `unknown` are names that it does not have, which nobody may rely on.
    """

    action: Action
    payee: VpaAddress
    payee_name: str
    mcc: str = DEFAULT_MCC
    transaction_id: str = ""
    reference: str = ""
    note: str = ""
    amount: Money | None = None
    minimum: Money | None = None
    url: str = ""
    mode: str = DEFAULT_MODE
    purpose: str = DEFAULT_PURPOSE
    signer: str = ""
    created_at: dt.datetime | None = None
    expires_at: dt.datetime | None = None
    mandate: MandateTerms | None = None
    others: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()

    def other(self, name: str) -> str:
        """Return a parameter that only informs, "" if the link has none."""
        return dict(self.others).get(name, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLink:
    """A link as it came: what it says, exactly which text was signed, and the signature."""

    intent: Intent
    signed_text: str
    signature: bytes | None
