"""
Refusals of the ledger.

DomainError
└── TransferRefusedError   a transfer that a person asked for was refused; `status` says why
"""

from apps.common.errors import ConflictError


class TransferRefusedError(ConflictError):
    """The books refused a transfer; the member `status` is the engine's reason."""

    code = "transfer_refused"
    title = "The books refused the transfer"
