"""Open an account in the books."""

from apps.common import clock
from apps.ledger.models import LedgerAccount


def open_ledger_account(
    *,
    name: str,
    debits_must_not_exceed_credits: bool = False,
    credits_must_not_exceed_debits: bool = False,
) -> LedgerAccount:
    """Open an account without a code, as a customer's is, in the caller's transaction."""
    return LedgerAccount.objects.create(
        name=name,
        debits_must_not_exceed_credits=debits_must_not_exceed_credits,
        credits_must_not_exceed_debits=credits_must_not_exceed_debits,
        opened_at=clock.now(),
    )
