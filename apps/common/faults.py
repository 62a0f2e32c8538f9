"""Fault points: named places at which a test kills the process, to prove that it may die there."""

import os
import signal
from pathlib import Path

from django.conf import settings


def fault_point(name: str) -> None:
    """
    Do nothing, unless the setting FAULT_AT names this point: then die at once, as by a power cut.

    FAULT_AT is `name` or `name:path`; with a path the death happens once, for whichever process
    creates that file first. FAULT_TRACE is a file to which every point that is passed is appended.
    """
    if settings.FAULT_TRACE:
        _trace(name, settings.FAULT_TRACE)
    if settings.FAULT_AT and _is_due(name, settings.FAULT_AT):
        os.kill(os.getpid(), signal.SIGKILL)


def _trace(name: str, path: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, f"{name}\n".encode())
    finally:
        os.close(descriptor)


def _is_due(name: str, fault_at: str) -> bool:
    wanted, _, path = fault_at.partition(":")
    if wanted != name:
        return False
    if not path:
        return True
    try:
        Path(path).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
