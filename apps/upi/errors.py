"""
Refusals of the UPI wire.

UpiError                        below DomainError
├── KeyRefusedError             a key cannot be entered into the directory
├── CapOutOfRangeError          no cap can be so high or so low
├── TimerOutOfRangeError        no timer can be so long or so short
├── ApiBudgetError              a call of ours would break a cap on how often it may be made
│   └── PeakHoursError          nobody waits for the call, and it is peak time
├── SwitchDownError             the switch has not answered our heartbeats for a while
└── RefusedError                the message gets a negative Ack and changes nothing
    ├── MalformedMessageError   its bytes or structure are not those of a UPI message
    ├── InvalidElementError     one of its elements breaks a validation rule (upi-protocol 4.8)
    ├── AskedTooOftenError      a PSP, or its customer, has asked this more often than they may
    └── SignatureRefusedError   nobody we know signed exactly these bytes
"""

import datetime as dt

from apps.common.errors import DomainError


class UpiError(DomainError):
    """Root of this app's refusals."""

    code = "upi_refused"
    title = "The UPI message was refused"


class KeyRefusedError(UpiError):
    """What was offered for the directory is not a public key of the kind that UPI uses."""

    code = "upi_key_refused"
    title = "The public key was refused"


class CapOutOfRangeError(UpiError):
    """The number is not one that a cap can be: nothing was changed."""

    code = "api_cap_out_of_range"
    title = "The number is outside of what a cap can be"


class TimerOutOfRangeError(UpiError):
    """The seconds are not ones that this timer can have: nothing was changed."""

    code = "timer_out_of_range"
    title = "The seconds are outside of what this timer can have"


class ApiBudgetError(UpiError):
    """The circulars allow no further call of this kind for this subject until `retry_at`."""

    code = "api_budget_spent"
    title = "No further call of this kind is allowed for now"
    http_status = 429

    def __init__(self, api: str, *, retry_at: dt.datetime, now: dt.datetime) -> None:
        """Name the call, and when it may be made again."""
        wait = max(1, int((retry_at - now).total_seconds()) + 1)
        super().__init__(retry_after_seconds=wait)
        self.api = api
        self.retry_at = retry_at


class PeakHoursError(ApiBudgetError):
    """The call waits for the end of peak hours, because no customer asked for it."""

    code = "api_peak_hours"
    title = "This call is not made in peak hours"


class SwitchDownError(UpiError):
    """The switch has not answered our heartbeats: what needs it is refused at once, unsent."""

    code = "switch_down"
    title = "The UPI network cannot be reached"
    http_status = 503


class RefusedError(UpiError):
    """The message is answered with a negative Ack that carries `ack_code`; nothing is accepted."""

    code = "upi_message_refused"

    def __init__(self, ack_code: str, detail: str) -> None:
        """Name the UPI code of the negative Ack, and say in `detail` why, without personal data."""
        super().__init__(detail)
        self.ack_code = ack_code


class MalformedMessageError(RefusedError):
    """The bytes or the structure are not those of a UPI message."""

    code = "upi_message_malformed"
    title = "The UPI message is malformed"

    def __init__(self, detail: str) -> None:
        """Refuse with U05, message not properly formed."""
        super().__init__("U05", detail)


class InvalidElementError(RefusedError):
    """An element breaks a validation rule; `element` names it, such as Txn.custRef."""

    code = "upi_element_invalid"
    title = "An element of the UPI message is not valid"

    def __init__(self, ack_code: str, element: str) -> None:
        """Name the validation code and the element; the value itself may be personal data."""
        super().__init__(ack_code, f"{element} is missing or not valid")
        self.element = element


class AskedTooOftenError(RefusedError):
    """A cap on questions of others is spent; they may ask again after so many seconds."""

    code = "upi_asked_too_often"
    title = "This was asked too often"
    http_status = 429

    def __init__(self, subject_kind: str, *, retry_after_seconds: int) -> None:
        """Refuse with U80, payer PSP throttled; say which cap it was, but not whose."""
        super().__init__("U80", f"the cap of a {subject_kind.lower()} is spent")
        self.retry_after_seconds = retry_after_seconds


class SignatureRefusedError(RefusedError):
    """The signature is missing, of another profile, by another key, or does not fit the bytes."""

    code = "upi_signature_refused"
    title = "The signature of the UPI message was refused"
