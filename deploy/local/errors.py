"""What can stop the local platform.

LocalError
├── DirectoryInUseError   another run holds the data directory
├── NotAvailableError     something that the machine lacks and we cannot get
└── NotReadyError         a part started and did not become ready
"""


class LocalError(Exception):
    """The local platform cannot go on; the text is one sentence for the person who started it."""


class DirectoryInUseError(LocalError):
    """Another run holds the data directory."""


class NotAvailableError(LocalError):
    """Something is missing; the text names the command that gets it."""


class NotReadyError(LocalError):
    """A part was started and died, or was not ready within its limit."""
