"""
Refusals of settlement.

DomainError
└── DayFileInvalidError     the file is not a raw v3 file of this bank and day; nothing was taken
"""

from typing import ClassVar

from apps.common.errors import DomainError


class DayFileInvalidError(DomainError):
    """The file is not a raw v3 file of this bank and day; nothing of it was taken."""

    code: ClassVar[str] = "day_file_invalid"
    title: ClassVar[str] = "The day file is not valid"
