"""
Refusals of the issuer.

DomainError
├── AccountNotFoundError         no account of this bank has the number
├── AccountExistsError           the number belongs to an account opened with other facts
├── PauseUnknownError            the side of payments has no such pause
├── DepositRefusedError          the books refused an opening deposit
└── CoreBankingUnavailableError  the bank's host does not answer
"""

from typing import ClassVar

from apps.common.errors import ConflictError, DomainError, NotFoundError


class AccountNotFoundError(NotFoundError):
    """No account of this bank has the number."""

    code: ClassVar[str] = "account_not_found"
    title: ClassVar[str] = "No such account"


class AccountExistsError(ConflictError):
    """The number belongs to an account that was opened with other facts."""

    code: ClassVar[str] = "account_exists"
    title: ClassVar[str] = "The account number is taken"


class PauseUnknownError(DomainError):
    """No debit waits for merchants, and no credit for PINs: the side has no such pause."""

    code: ClassVar[str] = "pause_unknown"
    title: ClassVar[str] = "This side of payments has no such pause"


class DepositRefusedError(ConflictError):
    """The books refused a deposit; the member `status` is their reason."""

    code: ClassVar[str] = "deposit_refused"
    title: ClassVar[str] = "The deposit was refused"


class CoreBankingUnavailableError(DomainError):
    """The bank's host does not answer: nothing was asked of it, or nobody knows."""

    code: ClassVar[str] = "core_banking_unavailable"
    title: ClassVar[str] = "The bank's accounts cannot be reached now"
    http_status: ClassVar[int] = 503
