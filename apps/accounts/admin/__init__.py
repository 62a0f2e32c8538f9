"""The issuer's pages of the back office."""

from apps.accounts.admin.account_restriction import AccountRestrictionAdmin
from apps.accounts.admin.bank_account import BankAccountAdmin
from apps.accounts.admin.credential_request import CredentialRequestAdmin
from apps.accounts.admin.pin_state import PinStateAdmin
from apps.accounts.admin.service_pause import ServicePauseAdmin

__all__ = [
    "AccountRestrictionAdmin",
    "BankAccountAdmin",
    "CredentialRequestAdmin",
    "PinStateAdmin",
    "ServicePauseAdmin",
]
