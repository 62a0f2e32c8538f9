"""
Refusals of the back office's door.

DomainError
├── LoginRefusedError   403  the name, the password or the code is not right: never said which
├── LoginLockedError    429  too many failures under this name
└── CodeRefusedError    422  the one-time code does not match the device being enrolled

Not a refusal:

AuditBrokenError        the audit log was changed from outside
"""

from typing import ClassVar

from apps.common.errors import DomainError


class LoginRefusedError(DomainError):
    """Something of what was given is wrong; which, an attacker must not learn."""

    code: ClassVar[str] = "login_refused"
    title: ClassVar[str] = "The name, the password or the one-time code is not right"
    http_status: ClassVar[int] = 403


class LoginLockedError(DomainError):
    """Too many logins under this name have failed; none is tried for a while."""

    code: ClassVar[str] = "login_locked"
    title: ClassVar[str] = "Too many failed logins under this name: try again later"
    http_status: ClassVar[int] = 429


class CodeRefusedError(DomainError):
    """The one-time code does not match the device that is being enrolled."""

    code: ClassVar[str] = "code_refused"
    title: ClassVar[str] = "The one-time code is not right: check the clock of your phone"
    http_status: ClassVar[int] = 422


class AuditBrokenError(Exception):
    """The chain of the audit log does not hold."""
