"""What the person sees of the parts: their states, and their lines behind a coloured name."""

from collections.abc import Sequence

from deploy.local import console
from deploy.local.part import State

STATE_COLOURS = {
    State.READY: "32",
    State.DONE: "32",
    State.FAILED: "31",
    State.BACKING_OFF: "33",
}
GREY = "90"


class Reporter:
    """Writes states and notes; the parts' own lines too, unless it is to be quiet."""

    def __init__(self, names: Sequence[str], *, states: bool = True, lines: bool = True) -> None:
        self._colours = {name: console.colour_of(place) for place, name in enumerate(names)}
        self._width = max((len(name) for name in names), default=0)
        self._states = states
        self._lines = lines

    def line(self, name: str, text: str) -> None:
        """Show a line that a part printed."""
        if self._lines:
            console.say(f"{self._prefix(name)} {text}")

    def note(self, name: str, text: str) -> None:
        """Show what the supervisor has to say of a part."""
        if self._states:
            console.say(f"{self._prefix(name)} {console.coloured(f'— {text}', colour='33')}")

    def state(self, name: str, state: State, *, seconds: float | None = None) -> None:
        """Show a new state, and how long it took to get there."""
        if self._states and state is not State.WAITING:
            text = f"— {state}" if seconds is None else f"— {state} ({seconds:.1f} s)"
            shown = console.coloured(text, colour=STATE_COLOURS.get(state, GREY))
            console.say(f"{self._prefix(name)} {shown}")

    def _prefix(self, name: str) -> str:
        colour = self._colours.get(name, GREY)
        return console.coloured(f"{name:<{self._width}} |", colour=colour)
