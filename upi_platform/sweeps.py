"""What the sweeper asks each second: the step to wake, and the question whether it has work."""

from collections.abc import Mapping

SWEEPS: Mapping[str, str] = {}
