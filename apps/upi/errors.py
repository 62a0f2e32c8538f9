"""
Refusals of the UPI wire.

UpiError                        below DomainError
├── KeyRefusedError             a key cannot be entered into the directory
└── RefusedError                the message gets a negative Ack and changes nothing
    ├── MalformedMessageError   its bytes or structure are not those of a UPI message
    ├── InvalidElementError     one of its elements breaks a validation rule (upi-protocol 4.8)
    └── SignatureRefusedError   nobody we know signed exactly these bytes
"""

from apps.common.errors import DomainError


class UpiError(DomainError):
    """Root of this app's refusals."""

    code = "upi_refused"
    title = "The UPI message was refused"


class KeyRefusedError(UpiError):
    """What was offered for the directory is not a public key of the kind that UPI uses."""

    code = "upi_key_refused"
    title = "The public key was refused"


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


class SignatureRefusedError(RefusedError):
    """The signature is missing, of another profile, by another key, or does not fit the bytes."""

    code = "upi_signature_refused"
    title = "The signature of the UPI message was refused"
