"""
Refusals of the back office's door.

DomainError
├── LoginRefusedError   403  the name, the password or the code is not right: never said which
├── LoginLockedError    429  too many failures under this name
├── CodeRefusedError    422  the one-time code does not match the device being enrolled
├── ChangedMeanwhileError  409  somebody changed it since the page was opened
├── NothingChangesError    409  it is so already
├── BeginsInThePastError   422  what is past was judged by the rules of then
└── EndsBeforeItBeginsError  422  the end comes before the beginning

Not a refusal:

AuditBrokenError        the audit log was changed from outside
PartitionsBusyError     another run of the job that keeps partitions is at it
"""

from typing import ClassVar

from apps.common.errors import ConflictError, DomainError


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


class ChangedMeanwhileError(ConflictError):
    """What the operator was shown is no longer so: nothing was changed."""

    code: ClassVar[str] = "changed_meanwhile"
    title: ClassVar[str] = "Somebody changed this meanwhile: look at it again"


class NothingChangesError(ConflictError):
    """It is so already: nothing was changed."""

    code: ClassVar[str] = "nothing_changes"
    title: ClassVar[str] = "It is so already"


class NotASecondPersonError(DomainError):
    """Nobody approves what they proposed, themselves or by an account they made or changed."""

    code: ClassVar[str] = "not_a_second_person"
    title: ClassVar[str] = "A second person must decide this"
    http_status: ClassVar[int] = 403


class ProposalOverError(ConflictError):
    """The proposal was decided or done, or nobody did so in time."""

    code: ClassVar[str] = "proposal_over"
    title: ClassVar[str] = "This proposal is over"


class NotApprovedError(ConflictError):
    """Nothing is done that nobody but its author approved."""

    code: ClassVar[str] = "not_approved"
    title: ClassVar[str] = "A second person has not approved this"


class NotYetError(ConflictError):
    """The key lives until the end that was proposed."""

    code: ClassVar[str] = "not_yet"
    title: ClassVar[str] = "Its day has not come"


class ContentDiffersError(DomainError):
    """What is to be taken in has another digest than the proposal."""

    code: ClassVar[str] = "content_differs"
    title: ClassVar[str] = "This is not what was approved"
    http_status: ClassVar[int] = 422


class SubjectUnknownError(DomainError):
    """No key or operator can be meant by this."""

    code: ClassVar[str] = "subject_unknown"
    title: ClassVar[str] = "There is nothing of this name that it could be done to"
    http_status: ClassVar[int] = 422


class KeyStillUsedError(ConflictError):
    """Something can only be verified with this key, and its last day has not come."""

    code: ClassVar[str] = "key_still_used"
    title: ClassVar[str] = "The key is still needed"


class BeginsInThePastError(DomainError):
    """A change begins now or later: what is past was judged by the rules of then."""

    code: ClassVar[str] = "begins_in_the_past"
    title: ClassVar[str] = "A change cannot begin in the past"
    http_status: ClassVar[int] = 422


class EndsBeforeItBeginsError(DomainError):
    """The end lies before the beginning: nothing was changed."""

    code: ClassVar[str] = "ends_before_it_begins"
    title: ClassVar[str] = "The end comes before the beginning"
    http_status: ClassVar[int] = 422


class AuditBrokenError(Exception):
    """The chain of the audit log does not hold."""


class PartitionsBusyError(Exception):
    """Another run of the job is at it; this one has nothing to do."""
