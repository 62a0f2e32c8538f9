"""
Refusals of the issuer.

DomainError
├── AccountNotFoundError   no account of this bank has the number
├── AccountExistsError     the number belongs to an account that was opened with other facts
└── DepositRefusedError    the books refused an opening deposit
"""

from typing import ClassVar

from apps.common.errors import ConflictError, NotFoundError


class AccountNotFoundError(NotFoundError):
    """No account of this bank has the number."""

    code: ClassVar[str] = "account_not_found"
    title: ClassVar[str] = "No such account"


class AccountExistsError(ConflictError):
    """The number belongs to an account that was opened with other facts."""

    code: ClassVar[str] = "account_exists"
    title: ClassVar[str] = "The account number is taken"


class DepositRefusedError(ConflictError):
    """The books refused a deposit; the member `status` is their reason."""

    code: ClassVar[str] = "deposit_refused"
    title: ClassVar[str] = "The deposit was refused"
