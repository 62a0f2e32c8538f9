"""Whether the switch is there, for whoever would otherwise begin what cannot end."""

import math
import threading
import time

from django.conf import settings

from apps.upi import selectors, timers
from apps.upi.errors import SwitchDownError
from apps.upi.timer_models import Timer

# A heartbeat takes longer than this to be missed, so nobody asks the database for each payment.
UP_KNOWN_SECONDS = 1.0
_known = threading.local()


def switch_is_up() -> bool:
    """Tell whether the switch answers our heartbeats; one never asked counts as up."""
    if time.monotonic() < getattr(_known, "up_until", 0.0):
        return True
    peer = selectors.organisation(settings.UPI_SWITCH_ORG_ID)
    is_up = peer is None or peer.is_up
    # Only the good news is remembered: the bad is asked for again, so that it ends at once.
    _known.up_until = time.monotonic() + UP_KNOWN_SECONDS if is_up else 0.0
    return is_up


def require_switch() -> None:
    """Raise SwitchDownError while the switch is down; a later try may do better."""
    if not switch_is_up():
        interval = math.ceil(timers.seconds(Timer.HEARTBEAT))
        raise SwitchDownError(retry_after_seconds=max(1, interval))


def forget() -> None:
    """Ask again at the next question, whatever was known."""
    _known.up_until = 0.0
