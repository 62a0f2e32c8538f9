"""
Refusals of a text that should be a payment link or a QR payload.

InvalidInputError
└── LinkError                          below it, `field` names the parameter or tag
    ├── LinkMalformedError             the text is no link at all: its signs, scheme or encoding
    ├── LinkParameterMissingError      a parameter that this kind of link needs is not there
    ├── LinkParameterInvalidError      a parameter breaks its rule
    ├── LinkCurrencyError              the money is not Indian rupees
    ├── LinkParametersContradictError  two parameters cannot both be meant
    ├── LinkSignatureMalformedError    `sign` is not last, not base64, or names no signer
    ├── EmvMalformedError              the payload is not a well-formed EMV code
    ├── EmvChecksumError               the payload was damaged: its CRC differs
    └── EmvNotUpiError                 the payload is sound, but names no UPI address
A parameter that is given twice is a DuplicateParameterError.
"""

from apps.common.errors import InvalidInputError


class LinkError(InvalidInputError):
    """The text is not a payment link that could be paid."""

    code = "link_invalid"
    title = "This is not a valid payment link"


class LinkMalformedError(LinkError):
    """The text is no link at all: too long, with foreign signs, scheme or encoding."""

    code = "link_malformed"
    title = "The text is not a UPI link"


class LinkParameterMissingError(LinkError):
    """A parameter that this kind of link needs is not there; `field` names it."""

    code = "link_parameter_missing"
    title = "The link lacks a parameter"


class LinkParameterInvalidError(LinkError):
    """A parameter breaks its rule; `field` names it."""

    code = "link_parameter_invalid"
    title = "A parameter of the link is not valid"


class LinkCurrencyError(LinkError):
    """The link asks for money other than Indian rupees."""

    code = "link_currency"
    title = "The link's currency is not INR"


class LinkParametersContradictError(LinkError):
    """Two parameters cannot both be meant, such as a minimum above the amount."""

    code = "link_parameters_contradict"
    title = "The link contradicts itself"


class LinkSignatureMalformedError(LinkError):
    """The signature is not the last parameter, not base64, or the link names no signer."""

    code = "link_signature_malformed"
    title = "The link's signature has no valid form"


class EmvMalformedError(LinkError):
    """The payload is not tags, lengths and values from end to end, each tag once."""

    code = "emv_malformed"
    title = "The QR payload is not a valid EMV code"


class EmvChecksumError(LinkError):
    """The payload's CRC is not that of its content: it was damaged or changed."""

    code = "emv_checksum"
    title = "The QR payload is damaged"


class EmvNotUpiError(LinkError):
    """The payload is a sound EMV code that names no UPI address."""

    code = "emv_not_upi"
    title = "The QR code does not take UPI payments"
