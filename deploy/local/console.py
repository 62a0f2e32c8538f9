"""Lines for the person at the terminal: colours where there is one, plain text elsewhere."""

import sys
import threading

from deploy.local import environment

COLOURS = ("36", "32", "33", "35", "34", "96", "92", "93", "95", "94")
_lock = threading.Lock()


def has_colours() -> bool:
    """Tell whether the reader is a terminal that wants colours."""
    given = environment.inherited()
    return sys.stdout.isatty() and "NO_COLOR" not in given and given.get("TERM") != "dumb"


def say(text: str) -> None:
    """Write one line, whole, whichever thread writes it."""
    with _lock:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def complain(text: str) -> None:
    """Write one line for what went wrong."""
    with _lock:
        sys.stdout.flush()
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def coloured(text: str, *, colour: str) -> str:
    """Return the text in the colour, an SGR code, if the reader sees colours."""
    return f"\033[{colour}m{text}\033[0m" if has_colours() else text


def colour_of(position: int) -> str:
    """Return the colour of the n-th part."""
    return COLOURS[position % len(COLOURS)]
