"""The issuer's pages of the back office."""

from apps.accounts.admin.account_restriction import AccountRestrictionAdmin
from apps.accounts.admin.bank_account import BankAccountAdmin
from apps.accounts.admin.core_banking_call import CoreBankingCallAdmin
from apps.accounts.admin.credential_request import CredentialRequestAdmin
from apps.accounts.admin.pin_state import PinStateAdmin
from apps.accounts.admin.service_pause import ServicePauseAdmin
from apps.accounts.admin.unmatched_answer import UnmatchedAnswerAdmin

__all__ = [
    "AccountRestrictionAdmin",
    "BankAccountAdmin",
    "CoreBankingCallAdmin",
    "CredentialRequestAdmin",
    "PinStateAdmin",
    "ServicePauseAdmin",
    "UnmatchedAnswerAdmin",
]
