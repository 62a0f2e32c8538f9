"""The life of an account request: what the app asked its bank, and what became of it."""

from enum import StrEnum


class RequestKind(StrEnum):
    """What is asked; each is one message of the wire."""

    OTP = "OTP"
    PIN_REGISTRATION = "PIN_REGISTRATION"
    PIN_CHANGE = "PIN_CHANGE"
    BALANCE = "BALANCE"


class TokenKind(StrEnum):
    """Why a phone's common library asks for a token; the subtype of its challenge on the wire."""

    INITIAL = "initial"
    ROTATE = "rotate"
    RESET = "reset"


class RequestState(StrEnum):
    """Where a request stands."""

    CREATED = "CREATED"
    SENDING = "SENDING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


# Silence is UNKNOWN and never FAILED; a late answer still settles it.
MOVES: dict[RequestState, frozenset[RequestState]] = {
    RequestState.CREATED: frozenset({RequestState.SENDING, RequestState.FAILED}),
    RequestState.SENDING: frozenset(
        {RequestState.CREATED, RequestState.SUCCESS, RequestState.FAILED, RequestState.UNKNOWN}
    ),
    RequestState.UNKNOWN: frozenset({RequestState.SUCCESS, RequestState.FAILED}),
    RequestState.SUCCESS: frozenset(),
    RequestState.FAILED: frozenset(),
}

PUBLIC_STATUS: dict[RequestState, str] = {
    RequestState.CREATED: "pending",
    RequestState.SENDING: "pending",
    RequestState.UNKNOWN: "pending",
    RequestState.SUCCESS: "succeeded",
    RequestState.FAILED: "failed",
}

FINAL = frozenset({RequestState.SUCCESS, RequestState.FAILED})
AWAITING_ANSWER = frozenset({RequestState.SENDING, RequestState.UNKNOWN})


def may_move(source: RequestState, target: RequestState) -> bool:
    """Return whether the step is lawful."""
    return target in MOVES[source]
