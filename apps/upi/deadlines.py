"""Until when an answer of ours is worth sending."""

import datetime as dt

from django.conf import settings

from apps.upi.contracts import Message


def answer_deadline(request: Message, *, received_at: dt.datetime) -> dt.datetime:
    """Return the instant after which the switch has stopped waiting for the answer to a request."""
    seconds = (
        settings.UPI_REVERSAL_ANSWER_LIMIT_SECONDS
        if request.txn.type == "REVERSAL"
        else settings.UPI_ANSWER_LIMIT_SECONDS
    )
    return received_at + dt.timedelta(seconds=seconds)
