"""
Refusals that the business foresees.

DomainError            each app's errors.py has the tree below this root
├── NotFoundError      no such thing, or not yours: the two are not told apart
├── InvalidInputError  the form of the request is wrong; below it DuplicateParameterError
└── ConflictError      the request is well formed, but the state of things forbids it
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class DomainError(Exception):
    """A refusal with a stable code. A bug is never one of these."""

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "The request was refused"
    http_status: ClassVar[int] = 422

    def __init__(self, detail: str = "", **members: Any) -> None:
        """Say in `detail` what a person should know; `members` go into the problem document."""
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.members: Mapping[str, Any] = members


class NotFoundError(DomainError):
    """The thing does not exist, or belongs to somebody else; the caller cannot tell which."""

    code = "not_found"
    title = "Not found"
    http_status = 404


class InvalidInputError(DomainError):
    """The form of the request is wrong."""

    code = "invalid_parameter"
    title = "A parameter is not valid"
    http_status = 400


class ConflictError(DomainError):
    """The request is well formed, but the state of things forbids it."""

    code = "conflict"
    title = "The request conflicts with the present state"
    http_status = 409


class DuplicateParameterError(InvalidInputError):
    """A parameter of a query or a link is given twice: two readers could read two things."""

    code = "duplicate_parameter"
    title = "A parameter is given twice"
