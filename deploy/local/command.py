"""How a command ends: a LocalError is one sentence, a signal leaves through every `finally`."""

import signal
from collections.abc import Callable
from types import FrameType

from deploy.local import console
from deploy.local.errors import LocalError

# As shells report a signal that ended a command.
SIGNAL_BASE = 128


def run_to_end(action: Callable[[], int]) -> int:
    """Call the action and return the code for `sys.exit`."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        return action()
    except LocalError as error:
        console.complain(f"deploy.local: {error}")
        return 1
    except KeyboardInterrupt:
        return SIGNAL_BASE + signal.SIGINT


def _leave(number: int, _frame: FrameType | None) -> None:
    """Begin to leave; a second signal must not disturb that."""
    for further in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(further, signal.SIG_IGN)
    raise SystemExit(SIGNAL_BASE + number)
