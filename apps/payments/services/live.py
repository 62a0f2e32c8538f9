"""Tell whoever waits for a payment that its status changed: a word, no polling."""

from collections.abc import Sequence

from apps.messaging import notices

CHANNEL = "payments_live"


def tell_on_commit(transaction_ids: Sequence[str]) -> None:
    """
    Say, once the open transaction has committed (at once when none is open), that these have news.

    A word that is lost costs whoever waits a second look; it never fails the caller.
    """
    notices.notify_on_commit(CHANNEL, transaction_ids)
