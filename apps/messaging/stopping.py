"""End a long-running command between two pieces of work, not in the middle of one."""

import signal
import threading
from types import FrameType


def stopped_by_signal() -> threading.Event:
    """Return an event that SIGTERM or SIGINT sets. Call it in the main thread."""
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return stopped
