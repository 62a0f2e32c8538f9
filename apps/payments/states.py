"""States of legs: what exists, which moves are legal, and what people are told."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """One job of this bank in a transaction."""

    PAYER_PSP = "PAYER_PSP"
    PAYEE_PSP = "PAYEE_PSP"
    DEBIT = "DEBIT"
    CREDIT = "CREDIT"
    REVERSAL = "REVERSAL"


class Kind(StrEnum):
    """What a PSP leg's transaction is for the customer or merchant."""

    PAY = "PAY"
    COLLECT = "COLLECT"
    REFUND = "REFUND"


class Flow(StrEnum):
    """What a dated rule allows or forbids."""

    COLLECT_PERSON = "COLLECT_PERSON"
    COLLECT_MERCHANT = "COLLECT_MERCHANT"


class SpamCode(StrEnum):
    """
    Under which rule a requester is blocked for all customers (upi-protocol 4.4).

    The later the stricter.
    """

    S1 = "S1"
    S2 = "S2"
    S3 = "S3"


class State(StrEnum):
    """How far a leg has come."""

    CREATED = "CREATED"
    SENDING = "SENDING"
    SUCCESS = "SUCCESS"
    DEEMED = "DEEMED"

    RECEIVED = "RECEIVED"
    WAITING_PAYER = "WAITING_PAYER"
    REFUSED = "REFUSED"
    AUTHORISED = "AUTHORISED"
    CONFIRMED = "CONFIRMED"
    FAILED = "FAILED"

    VERIFYING = "VERIFYING"
    VERIFIED = "VERIFIED"
    POSTING = "POSTING"
    POSTED = "POSTED"
    DECLINED = "DECLINED"
    CANCELLING = "CANCELLING"
    REFUSED_BY_REVERSAL = "REFUSED_BY_REVERSAL"

    WAITING_ORIGINAL = "WAITING_ORIGINAL"
    NOT_DONE = "NOT_DONE"
    KEPT = "KEPT"

    UNKNOWN = "UNKNOWN"


# In which state most new legs of a role come, due at once.
COMES: Mapping[Role, State] = {
    Role.PAYER_PSP: State.CREATED,
    Role.PAYEE_PSP: State.RECEIVED,
    Role.DEBIT: State.RECEIVED,
    Role.CREDIT: State.RECEIVED,
}


# Written once, when the leg's row is made. A reversal that comes first makes its original as
# REFUSED_BY_REVERSAL: the tombstone. A PSP leg is CREATED when we begin the transaction (PAY and
# REFUND as the payer's PSP, COLLECT as the payee's) and RECEIVED when the switch asks us about it.
FIRST: Mapping[Role, frozenset[State]] = {
    Role.PAYER_PSP: frozenset({State.CREATED, State.RECEIVED}),
    Role.PAYEE_PSP: frozenset({State.CREATED, State.RECEIVED}),
    Role.DEBIT: frozenset({State.RECEIVED, State.REFUSED_BY_REVERSAL}),
    Role.CREDIT: frozenset({State.RECEIVED, State.REFUSED_BY_REVERSAL}),
    Role.REVERSAL: frozenset({State.WAITING_ORIGINAL}),
}

# A payment that the payer's bank has begun to send may end in any way, told by whoever knows.
_PAYMENT_ENDS = frozenset({State.SUCCESS, State.FAILED, State.DEEMED})
_PAYEE_ENDS = frozenset({State.CONFIRMED, State.FAILED})

# With the embedded ledger POSTING begins and ends in one transaction, so that nobody ever sees it:
# such a leg is written once, with the state that follows POSTING.
MOVES: Mapping[Role, Mapping[State, frozenset[State]]] = {
    Role.PAYER_PSP: {
        State.CREATED: frozenset({State.SENDING}),
        State.SENDING: _PAYMENT_ENDS | {State.UNKNOWN, State.CREATED},
        # A collect: somebody asks our customer for money.
        State.RECEIVED: frozenset({State.REFUSED, State.WAITING_PAYER}),
        State.WAITING_PAYER: frozenset({State.REFUSED, State.AUTHORISED, State.FAILED}),
        State.AUTHORISED: _PAYMENT_ENDS | {State.UNKNOWN},
        State.UNKNOWN: _PAYMENT_ENDS,
    },
    Role.PAYEE_PSP: {
        # A collect of our merchant.
        State.CREATED: frozenset({State.SENDING}),
        State.SENDING: _PAYEE_ENDS | {State.UNKNOWN, State.CREATED},
        State.RECEIVED: frozenset({State.REFUSED, State.AUTHORISED}),
        State.AUTHORISED: _PAYEE_ENDS | {State.UNKNOWN},
        State.UNKNOWN: _PAYEE_ENDS,
    },
    Role.DEBIT: {
        # Only the debit of a refund is VERIFIED without a PIN; a trigger of its own holds it.
        State.RECEIVED: frozenset(
            {State.VERIFYING, State.VERIFIED, State.DECLINED, State.REFUSED_BY_REVERSAL}
        ),
        State.VERIFYING: frozenset({State.VERIFIED, State.DECLINED, State.REFUSED_BY_REVERSAL}),
        State.VERIFIED: frozenset(
            {State.POSTING, State.POSTED, State.DECLINED, State.REFUSED_BY_REVERSAL}
        ),
        State.POSTING: frozenset({State.POSTED, State.DECLINED, State.UNKNOWN}),
        State.UNKNOWN: frozenset({State.POSTED, State.CANCELLING}),
        State.CANCELLING: frozenset({State.DECLINED}),
    },
    Role.CREDIT: {
        State.RECEIVED: frozenset(
            {State.POSTING, State.POSTED, State.DECLINED, State.REFUSED_BY_REVERSAL}
        ),
        State.POSTING: frozenset({State.POSTED, State.DECLINED, State.UNKNOWN}),
        State.UNKNOWN: frozenset({State.POSTED, State.CANCELLING}),
        State.CANCELLING: frozenset({State.DECLINED}),
    },
    Role.REVERSAL: {
        State.WAITING_ORIGINAL: frozenset(
            {State.NOT_DONE, State.KEPT, State.POSTING, State.POSTED}
        ),
        State.POSTING: frozenset({State.POSTED, State.UNKNOWN}),
        State.UNKNOWN: frozenset({State.POSTED}),
    },
}


def may_move(role: Role, source: State, target: State) -> bool:
    """Say whether a leg of this role may go from one state to the other."""
    return target in MOVES[role].get(source, frozenset())


def is_final(role: Role, state: State) -> bool:
    """Say whether a leg of this role never leaves this state."""
    return state not in MOVES[role]


# Money has not begun to move: a reversal may still refuse the leg.
BEFORE_POSTING: Mapping[Role, frozenset[State]] = {
    Role.DEBIT: frozenset({State.RECEIVED, State.VERIFYING, State.VERIFIED}),
    Role.CREDIT: frozenset({State.RECEIVED}),
}
# Nobody knows yet whether money moved: a reversal waits for the end of it.
UNDECIDED = frozenset({State.POSTING, State.UNKNOWN, State.CANCELLING})


class PublicStatus(StrEnum):
    """What customers and merchants are told."""

    CREATED = "created"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Finality(StrEnum):
    """Whether a public status can still change."""

    PROVISIONAL = "provisional"
    FINAL = "final"


# A deemed payment has left the payer, and nobody has yet said that it reached the payee.
PUBLIC: Mapping[State, tuple[PublicStatus, Finality]] = {
    State.CREATED: (PublicStatus.CREATED, Finality.PROVISIONAL),
    State.SENDING: (PublicStatus.PENDING, Finality.PROVISIONAL),
    State.UNKNOWN: (PublicStatus.PENDING, Finality.PROVISIONAL),
    State.DEEMED: (PublicStatus.PENDING, Finality.PROVISIONAL),
    State.SUCCESS: (PublicStatus.SUCCEEDED, Finality.FINAL),
    State.FAILED: (PublicStatus.FAILED, Finality.FINAL),
    State.RECEIVED: (PublicStatus.PENDING, Finality.PROVISIONAL),
    State.WAITING_PAYER: (PublicStatus.PENDING, Finality.PROVISIONAL),
    State.AUTHORISED: (PublicStatus.PENDING, Finality.PROVISIONAL),
    State.CONFIRMED: (PublicStatus.SUCCEEDED, Finality.FINAL),
    State.REFUSED: (PublicStatus.FAILED, Finality.FINAL),
}


def public_status(state: State) -> tuple[PublicStatus, Finality]:
    """Return what the payer or the payee is told of a payment whose PSP leg is in this state."""
    return PUBLIC[state]
