"""What the switch checks of a refund: its original was paid, by these parties, and suffices."""

import copy
import datetime as dt

from sandbox import codec
from sandbox.journal import Journal
from sandbox.payment import Payment, PaymentKind, Status

# Later than this an online refund is no longer taken.
_ORIGINAL_DAYS_MAX = 90


class Refunds:
    """Holds refunds against the payments that they give back."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def refusal(self, refund: Payment) -> str:
        """
        Return the code for which a refund is refused; empty if it may go on.

        A refund that may go on has got its accounts from the original: the money goes back to
        where it came from, whatever the request says.
        """
        original = await self._journal.payment(refund.original_id)
        if original is None or original.kind is PaymentKind.REFUND or _is_old(original, refund):
            return "U51"
        if original.verdict.status is not Status.SUCCESS:
            return "U39"
        if refund.payer_address.lower() != original.payee_address.lower():
            return "U60"
        if refund.payee_address.lower() != original.payer_address.lower():
            return "U59"
        before = await self._journal.refunded_before(refund)
        if before + refund.amount_paise > original.amount_paise:
            return "U57"
        _take_account(refund.payer, original.payee)
        _take_account(refund.payee, original.payer)
        refund.remitter, refund.beneficiary = original.beneficiary, original.remitter
        return ""


def _is_old(original: Payment, refund: Payment) -> bool:
    paid_at, asked_at = (
        dt.datetime.fromisoformat(payment.created_at) for payment in (original, refund)
    )
    return asked_at - paid_at > dt.timedelta(days=_ORIGINAL_DAYS_MAX)


def _take_account(party: codec.Element, known: codec.Element) -> None:
    for name in ("Info", "Ac"):
        for given in party.findall(name):
            party.remove(given)
        if (found := known.find(name)) is not None:
            party.append(copy.deepcopy(found))
