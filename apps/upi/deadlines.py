"""Until when an answer of ours is worth sending, and a collect may be answered."""

import datetime as dt

from django.conf import settings

from apps.upi import timers
from apps.upi.contracts import Message, Txn
from apps.upi.timer_models import Timer

# upi-protocol 1.5: the rule of a collect that says after how many minutes it expires.
EXPIRE_AFTER = "EXPIREAFTER"


def answer_deadline(request: Message, *, received_at: dt.datetime) -> dt.datetime:
    """Return the instant after which the switch has stopped waiting for the answer to a request."""
    return received_at + answer_life(is_reversal=request.txn.type == "REVERSAL")


def answer_life(*, is_reversal: bool) -> dt.timedelta:
    """Return for how long after its request an answer may be sent for the first time."""
    return timers.span(Timer.REVERSAL_ANSWER if is_reversal else Timer.ANSWER)


def decision_deadline(request: Message, *, received_at: dt.datetime) -> dt.datetime:
    """
    Return the instant after which the switch does not wait for a request to be decided.

    A collect is decided by a person, who has until it expires; all else is decided at once.
    """
    if request.api == "ReqAuthDetails" and request.txn.type == "COLLECT":
        return collect_expiry(request.txn, received_at=received_at)
    return answer_deadline(request, received_at=received_at)


def collect_expiry(txn: Txn, *, received_at: dt.datetime) -> dt.datetime:
    """Return until when the payer of a collect may answer: by its rule, counted from Txn.ts."""
    named = [rule.value for rule in txn.rules if rule.name == EXPIRE_AFTER]
    asked = int(named[0].partition(".")[0]) if named else 0
    minutes = min(asked or settings.UPI_COLLECT_MINUTES_DEFAULT, settings.UPI_COLLECT_MINUTES_MAX)
    return min(received_at, txn.ts) + dt.timedelta(minutes=minutes)
