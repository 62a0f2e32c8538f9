"""
Refusals of payment addresses.

DomainError
├── HandleNotOursError        the handle belongs to another PSP
├── AddressReservedError      the name is not for customers to take
└── AddressTakenError         somebody has the address, or had it a short while ago
"""

from apps.common.errors import ConflictError, DomainError


class HandleNotOursError(DomainError):
    """An address is registered where its handle lives, and this handle lives elsewhere."""

    code = "handle_not_ours"
    title = "This handle belongs to another bank"


class AddressReservedError(DomainError):
    """The name is the bank's own, or is another person's mobile number."""

    code = "vpa_reserved"
    title = "This payment address cannot be chosen"


class AddressTakenError(ConflictError):
    """Somebody has the address; or had it so recently that money may still be sent to them."""

    code = "vpa_taken"
    title = "This payment address is taken"
