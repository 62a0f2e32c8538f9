"""Whether core banking is there, for whoever would otherwise begin what cannot end."""

from apps.accounts.core_banking.base import core_banking
from apps.accounts.errors import CoreBankingUnavailableError
from apps.accounts.selectors import is_ours

# As long as a mark of the breaker hardly ever lasts when the host is back.
RETRY_AFTER_SECONDS = 5


def require_core_banking(ifsc: str) -> None:
    """
    Raise CoreBankingUnavailableError while core banking is away; a later try may do better.

    What moves the money of an account elsewhere needs that bank's core banking, and not ours.
    """
    if is_ours(ifsc) and not core_banking().is_available():
        raise CoreBankingUnavailableError(retry_after_seconds=RETRY_AFTER_SECONDS)
