"""The life of a verification: the question whose an address is, and what came of it."""

from enum import StrEnum


class VerificationState(StrEnum):
    """Where a verification stands. Silence is UNKNOWN; a late answer still settles it."""

    CREATED = "CREATED"
    SENDING = "SENDING"
    VERIFIED = "VERIFIED"
    REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"


PUBLIC_STATUS: dict[VerificationState, str] = {
    VerificationState.CREATED: "pending",
    VerificationState.SENDING: "pending",
    VerificationState.UNKNOWN: "pending",
    VerificationState.VERIFIED: "verified",
    VerificationState.REFUSED: "failed",
}
FINAL = frozenset({VerificationState.VERIFIED, VerificationState.REFUSED})
AWAITING_ANSWER = frozenset({VerificationState.SENDING, VerificationState.UNKNOWN})
