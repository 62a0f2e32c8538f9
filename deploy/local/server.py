"""What every embedded server can do; the runner knows no more of them than this."""

from typing import Protocol


class Server(Protocol):
    """One server of ours, or the address of somebody else's."""

    @property
    def name(self) -> str:
        """The word that `--only` takes."""

    @property
    def origin(self) -> str:
        """Where it comes from: the environment, a place on the machine, or a package."""

    def launch(self) -> None:
        """Begin to start; servers start side by side."""

    def wait_until_ready(self) -> None:
        """Finish the start. Raises LocalError when it cannot."""

    def environment(self) -> dict[str, str]:
        """Return what a process needs to reach it, known once it is ready."""

    def is_running(self) -> bool:
        """Tell whether it still runs; one that is not ours always does."""

    def pid(self) -> int | None:
        """Return its first process; None when it is not ours or has none."""

    def stop(self) -> None:
        """Stop it, also when it was never launched."""


class External:
    """A server that somebody else runs and the environment names."""

    origin = "the environment"

    def __init__(self, name: str, values: dict[str, str]) -> None:
        self.name = name
        self._values = values

    def launch(self) -> None:
        """Do nothing: it runs already."""

    def wait_until_ready(self) -> None:
        """Do nothing: whoever gave the address vouches for it."""

    def environment(self) -> dict[str, str]:
        """Return the addresses as given."""
        return self._values

    def is_running(self) -> bool:
        """Say yes: it is not ours to judge."""
        return True

    def pid(self) -> int | None:
        """Return None: its processes are not ours."""
        return None

    def stop(self) -> None:
        """Do nothing: it is not ours."""
