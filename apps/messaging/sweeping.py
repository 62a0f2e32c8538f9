"""
Ask each step whether it has due work, and wake it.

This is the one way in which lost work is found: there is no other recovery. Two sweepers run side
by side; asking twice wakes once.
"""

from collections.abc import Callable, Mapping

import structlog
from django.utils.module_loading import import_string

from apps.messaging import wakeups

log = structlog.get_logger(__name__)

PURGE_ROUNDS_MAX = 10
OWN_PURGES = {
    "messaging.idempotency_keys": "apps.messaging.idempotency.purge",
    "messaging.consumed_events": "apps.messaging.inbox.purge",
}


def sweep(probes: Mapping[str, str]) -> list[str]:
    """
    Wake every step whose probe says that something is due; return those steps.

    A probe that fails is logged and does not keep the others from being asked.
    """
    due = []
    for step, probe in probes.items():
        try:
            is_due = bool(import_string(probe)())
        except Exception:
            log.exception("probe_failed", step=step)
            continue
        if is_due:
            wakeups.wake_for_all(step)
            due.append(step)
    return due


def purge(purges: Mapping[str, str]) -> dict[str, int]:
    """Remove what must not outlive its time, in bounded bites; return how much of each."""
    removed = {}
    for name, path in {**purges, **OWN_PURGES}.items():
        try:
            removed[name] = _in_bites(import_string(path))
        except Exception:
            log.exception("purge_failed", purge=name)
    return removed


def _in_bites(function: Callable[[], int]) -> int:
    total = 0
    for _ in range(PURGE_ROUNDS_MAX):
        size = function()
        total += size
        if size == 0:
            break
    return total
