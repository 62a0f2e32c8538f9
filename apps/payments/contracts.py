"""What crosses the engine's doors, and the rows that its steps work on."""

import datetime as dt
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from apps.common.money import Money
from apps.payments.states import Kind, Role, State


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionFacts:
    """
    What every job of a transaction agrees on.

    Names, types and codes of the parties and the note may differ between messages; the first
    message's stay. Everything else must be equal.
    """

    id: str
    rrn: str
    amount: Money
    payer_address: str
    payer_name: str
    payer_type: str
    payer_code: str
    payee_address: str
    payee_name: str
    payee_type: str
    payee_code: str
    note: str
    purpose: str
    initiation_mode: str
    reference: str
    reference_url: str
    reference_category: str
    initiated_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WireRequest:
    """The message of the switch that asks for a leg: what its answer must repeat."""

    exchange_id: UUID
    message_id: str
    transaction_id: str
    transaction_at: dt.datetime
    sub_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLeg:
    """A leg to be written with its first state."""

    role: Role
    kind: str
    state: State
    code: str = ""
    request: WireRequest | None = None
    account_number: str = ""
    account_type: str = ""
    ifsc: str = ""
    device_mobile: str = ""
    device: str | None = None
    risk_scores: str | None = None
    owner_id: UUID | None = None
    is_on_us: bool = False
    is_due: bool = True
    # The earlier of receipt and Head/@ts; None when nothing must be posted in time.
    asked_at: dt.datetime | None = None
    expires_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class OpenedLeg:
    """A leg as `opening.open_leg` found or made it."""

    id: UUID
    state: State
    code: str
    exchange_id: UUID | None
    is_new: bool


@dataclass(frozen=True, slots=True)
class Job:
    """
    A leg with its transaction, as a step works on it.

    `source` is the state it was found in, and `idle_seconds` how long it had been in it. `is_late`
    says that its time for posting is over.
    """

    id: UUID
    role: Role
    kind: str
    state: State
    source: State
    code: str
    exchange_id: UUID | None
    request_message_id: str
    wire_transaction_id: str
    wire_transaction_at: dt.datetime
    wire_sub_type: str
    received_at: dt.datetime
    account_number: str
    account_type: str
    ifsc: str
    device_mobile: str
    device: str | None
    risk_scores: str | None
    owner_id: UUID | None
    is_on_us: bool
    is_late: bool
    attempts: int
    checks: int
    transfer_id: UUID | None
    expires_at: dt.datetime | None
    idle_seconds: float
    transaction: TransactionFacts

    @property
    def is_refund(self) -> bool:
        """Whether the money goes back to a payer: no PIN and no limit of payments is for it."""
        return Kind.REFUND in {self.kind, self.wire_sub_type}

    @property
    def transaction_id(self) -> str:
        """The original transaction's id."""
        return self.transaction.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """
    One leg's step to its next state; `due_in_seconds` says when somebody must look again.

    `claim` is the token under which the leg is worked on in its new state.
    """

    leg_id: UUID
    role: Role
    source: State
    target: State
    code: str = ""
    transfer_id: UUID | None = None
    owner_id: UUID | None = None
    claim: UUID | None = None
    due_in_seconds: float | None = None

    @classmethod
    def of(
        cls,
        job: Job,
        target: State,
        *,
        code: str = "",
        owner_id: UUID | None = None,
        claim: UUID | None = None,
        due_in_seconds: float | None = None,
    ) -> Self:
        """Return the move of a job from the state in which it was read."""
        return cls(
            leg_id=job.id,
            role=job.role,
            source=job.state,
            target=target,
            code=code,
            owner_id=owner_id,
            claim=claim,
            due_in_seconds=due_in_seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequest:
    """What a customer's app asks: pay this much from that account to that address."""

    transaction_id: str
    customer_id: UUID
    device_id: UUID
    account_id: UUID
    payer_address: str
    payee_address: str
    payee_name: str
    amount: Money
    note: str
    reference: str
    reference_url: str
    initiation_mode: str
    purpose: str
    # The text that was scanned or opened, and where the app has it from.
    link: str = ""
    link_source: str = "camera"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A payment as its payer or payee is shown it."""

    leg_id: UUID
    owner_id: UUID | None
    kind: Kind
    state: State
    code: str
    expires_at: dt.datetime | None
    transaction: TransactionFacts
    changed_at: dt.datetime
    created_at: dt.datetime
