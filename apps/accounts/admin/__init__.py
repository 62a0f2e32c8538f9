"""The issuer's pages of the back office."""

from apps.accounts.admin.bank_account import BankAccountAdmin
from apps.accounts.admin.credential_request import CredentialRequestAdmin
from apps.accounts.admin.pin_state import PinStateAdmin

__all__ = ["BankAccountAdmin", "CredentialRequestAdmin", "PinStateAdmin"]
