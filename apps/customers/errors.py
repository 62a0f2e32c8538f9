"""
Refusals of the customer side.

DomainError
├── UnauthenticatedError            no session, or one that has ended
├── DeviceNotBoundError             the session's device is no longer bound
├── NotFoundError (common)          no such account or request of this customer
├── InvalidBlockError               a credential block is missing or not of its form
├── InvalidTransactionIdError       the app did not mint a UPI transaction id of ours
├── TransactionIdTakenError         the transaction id stands for something else already
├── TokenLimitError                 the phone asked for tokens too often
├── BankUnknownError                no bank of the network has the branch code, or not now
└── DailyLimitError                 as many balance enquiries as the rules allow were made
"""

from apps.common.errors import ConflictError, DomainError, InvalidInputError


class UnauthenticatedError(DomainError):
    """There is no session for this token: never was, has ended, or began again elsewhere."""

    code = "unauthenticated"
    title = "Authentication is required"
    http_status = 401


class DeviceNotBoundError(DomainError):
    """The device was bound once and is not any more; a valid session does not help."""

    code = "device_not_bound"
    title = "This device is not bound to the customer"
    http_status = 403


class InvalidBlockError(InvalidInputError):
    """A credential block is missing or not of the form `{"ki": …, "data": "2.0|…"}`."""

    code = "invalid_credential"
    title = "A credential block is missing or not valid"


class InvalidTransactionIdError(InvalidInputError):
    """The transaction id is not one that an app of this PSP may mint."""

    code = "invalid_txn_id"
    title = "The transaction id is not valid"


class TransactionIdTakenError(ConflictError):
    """The transaction id was used before, for something else."""

    code = "txn_id_taken"
    title = "The transaction id stands for another request"


class DailyLimitError(DomainError):
    """The customer made as many balance enquiries in 24 hours as the rules allow."""

    code = "daily_limit"
    title = "The daily limit of balance enquiries is reached"
    http_status = 429


class TokenLimitError(DomainError):
    """The phone asked for tokens of its common library too often in 24 hours."""

    code = "device_token_limit"
    title = "This phone has registered too often today"
    http_status = 429


class BankUnknownError(DomainError):
    """No bank of the network whose accounts can be linked has this branch code."""

    code = "bank_unknown"
    title = "Accounts of this bank cannot be linked"
