"""
Refusals of the merchant side.

DomainError
├── MerchantUnauthenticatedError    no API key, or one that is unknown or revoked
├── ScopeMissingError               the key may not do this
├── KeyInQueryError                 a key was put into a URL, and is revoked for it
├── MerchantSuspendedError          the merchant may not take payments now
├── ReferenceTakenError             another order of this merchant has the reference
├── InvalidExpiryError              the order would end in the past or too late
├── InvalidMetadataError            the metadata is not a few short texts
├── InvalidUrlError                 the webhook's address is not one
├── LiveKeyRequiredError            what is made would be paid with real money
├── EmvNotPossibleError             an EMV code has no room for this address, name or reference
├── AlreadyPaidError                the order behind a link was paid
├── LinkNotPayableError             what is paid comes from a link that must not be paid
├── LinkDiffersError                what is paid is not what its link asks for
├── LinkExpiredError                the link, or the order behind it, has ended
├── QrCodeRevokedError              the merchant called the QR code back
├── HttpsRequiredError              the webhook's address does not begin with https
└── ForbiddenDestinationError       the webhook's address leads into a network that is not public
"""

from apps.common.errors import ConflictError, DomainError, InvalidInputError


class MerchantUnauthenticatedError(DomainError):
    """There is no such API key, or it was revoked; which of the two is not told."""

    code = "unauthenticated_key"
    title = "A valid API key is required"
    http_status = 401


class ScopeMissingError(DomainError):
    """The API key may not do this."""

    code = "scope_missing"
    title = "This API key may not do this"
    http_status = 403


class KeyInQueryError(InvalidInputError):
    """URLs are logged and remembered everywhere: a key in one is no secret any more."""

    code = "key_in_query"
    title = "An API key was sent in the URL; it is revoked"


class MerchantSuspendedError(DomainError):
    """The merchant may not take payments now."""

    code = "merchant_suspended"
    title = "The merchant is suspended"
    http_status = 403


class ReferenceTakenError(ConflictError):
    """Another order of this merchant has the reference."""

    code = "reference_taken"
    title = "Another order has this reference"


class InvalidExpiryError(InvalidInputError):
    """The instant has no offset, is past, or further away than orders may live."""

    code = "invalid_expiry"
    title = "The order's end is not a valid instant"


class InvalidMetadataError(InvalidInputError):
    """The metadata is not an object of at most 20 short texts."""

    code = "invalid_metadata"
    title = "Metadata is at most 20 pairs of short texts"


class InvalidUrlError(InvalidInputError):
    """The address of a webhook is not a URL that we would call."""

    code = "invalid_url"
    title = "The webhook's URL is not valid"


class LiveKeyRequiredError(DomainError):
    """What is asked for would move real money: a test key does not."""

    code = "live_key_required"
    title = "Only a live key may do this"
    http_status = 403


class EmvNotPossibleError(DomainError):
    """An EMV code has no room for the address, the name's signs, or so short a reference."""

    code = "emv_not_possible"
    title = "This cannot be written as a BharatQR code"


class AlreadyPaidError(ConflictError):
    """The order behind the link was paid: it is not paid again."""

    code = "already_paid"
    title = "This has been paid already"


class LinkNotPayableError(DomainError):
    """The payment comes from a link that must not be paid; `refusals` says why, by code."""

    code = "link_not_payable"
    title = "This link cannot be paid"


class LinkDiffersError(DomainError):
    """The payment is not what its link asks for; `field` names the member that differs."""

    code = "link_differs"
    title = "The payment is not what its link asks for"


class LinkExpiredError(DomainError):
    """The link, or the order behind it, has ended."""

    code = "link_expired"
    title = "This link has expired"
    http_status = 410


class QrCodeRevokedError(DomainError):
    """The merchant called the QR code back: whoever scans it is not to pay by it."""

    code = "qr_code_revoked"
    title = "The merchant has called this QR code back"
    http_status = 410


class HttpsRequiredError(InvalidInputError):
    """Facts about payments do not travel in clear."""

    code = "https_required"
    title = "A webhook's URL begins with https"


class ForbiddenDestinationError(InvalidInputError):
    """The host is, or would lead to, an address that is not public."""

    code = "forbidden_destination"
    title = "A webhook goes to a public address"
