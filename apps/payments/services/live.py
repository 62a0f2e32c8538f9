"""Tell whoever waits for a payment that its status changed: a word, no polling."""

from collections.abc import Sequence

from apps.messaging import notices
from apps.payments.contracts import Job
from apps.payments.states import Role

CHANNEL = "payments_live"


def word_of(role: Role, transaction_id: str) -> str:
    """Return what is said of a leg: who waits for the payer's need not look at the payee's."""
    return f"{role}/{transaction_id}"


def tell_on_commit(jobs: Sequence[Job]) -> None:
    """
    Say, once the open transaction has committed (at once when none is open), that these have news.

    A word that is lost costs whoever waits a second look; it never fails the caller.
    """
    words = [word_of(job.role, job.transaction_id) for job in jobs]
    notices.notify_on_commit(CHANNEL, words)
