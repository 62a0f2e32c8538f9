"""Until when an answer of ours is worth sending."""

import datetime as dt

from apps.upi import timers
from apps.upi.contracts import Message
from apps.upi.timer_models import Timer


def answer_deadline(request: Message, *, received_at: dt.datetime) -> dt.datetime:
    """Return the instant after which the switch has stopped waiting for the answer to a request."""
    return received_at + answer_life(is_reversal=request.txn.type == "REVERSAL")


def answer_life(*, is_reversal: bool) -> dt.timedelta:
    """Return for how long after its request an answer may be sent for the first time."""
    return timers.span(Timer.REVERSAL_ANSWER if is_reversal else Timer.ANSWER)
