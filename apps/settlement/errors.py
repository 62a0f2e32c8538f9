"""
Refusals of settlement.

DomainError
├── DayFileInvalidError       the file is not a raw v3 file of this bank and day; nothing was taken
├── HostFileInvalidError      the file is not a whole file of the host for this day
├── HostFileDiffersError      the day has another file already, which stays
├── HostDayOpenError          the day is not over, at the host or here
├── HostFileUnavailableError  the host's file cannot be had now
└── HostMissingError          our own books are core banking: there is no host
"""

from typing import ClassVar

from apps.common.errors import DomainError


class DayFileInvalidError(DomainError):
    """The file is not a raw v3 file of this bank and day; nothing of it was taken."""

    code: ClassVar[str] = "day_file_invalid"
    title: ClassVar[str] = "The day file is not valid"


class HostFileInvalidError(DomainError):
    """The file is not a whole file of the core-banking host for this day; nothing was taken."""

    code: ClassVar[str] = "host_file_invalid"
    title: ClassVar[str] = "The host's file is not valid"


class HostFileDiffersError(DomainError):
    """The day has another file of the host already, which was proof; nothing was taken."""

    code: ClassVar[str] = "host_file_differs"
    title: ClassVar[str] = "The day has another file already"
    http_status: ClassVar[int] = 409


class HostDayOpenError(DomainError):
    """The business day is not over, at the host or by our calendar: no file of it is whole."""

    code: ClassVar[str] = "host_day_open"
    title: ClassVar[str] = "The business day is not over"
    http_status: ClassVar[int] = 409


class HostFileUnavailableError(DomainError):
    """The core-banking host's file cannot be had now: no address, no answer, or another answer."""

    code: ClassVar[str] = "host_file_unavailable"
    title: ClassVar[str] = "The host's file cannot be had"
    http_status: ClassVar[int] = 503


class HostMissingError(DomainError):
    """Our own books are core banking: there is no host whose file could be held against them."""

    code: ClassVar[str] = "host_missing"
    title: ClassVar[str] = "There is no core-banking host"
    http_status: ClassVar[int] = 409
