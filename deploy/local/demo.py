"""The demonstration: what `make demo` plays on a fresh platform."""

from deploy.local import console
from deploy.local.platform import Platform


def play(platform: Platform) -> int:
    """Play it and return the exit code."""
    console.say(f"the platform is up at {platform.urls['public']}")
    return 0
