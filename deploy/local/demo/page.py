"""What the demonstration prints: headings, timelines, and whether what was promised held."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

_WIDTH_WITHOUT_TERMINAL = 120


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened, so many milliseconds after the payment was accepted."""

    milliseconds: float
    lane: str
    text: str


class Page:
    """Prints to the terminal, in colour where there is one, and remembers what did not hold."""

    def __init__(self) -> None:
        probe = Console()
        self._console = (
            probe if probe.is_terminal else Console(width=_WIDTH_WITHOUT_TERMINAL, highlight=False)
        )
        self._failures: list[str] = []

    @property
    def all_held(self) -> bool:
        """Whether every expectation so far held."""
        return not self._failures

    def title(self, text: str) -> None:
        """Print the title of the whole."""
        self._console.rule(f"[bold]{text}")

    def heading(self, text: str) -> None:
        """Print the title of an act."""
        self._console.print(f"\n[bold cyan]▸ {text}")

    def line(self, text: str) -> None:
        """Print a line of explanation."""
        self._console.print(f"  {text}")

    def expect(self, promise: str, *, found: object, wanted: object) -> None:
        """Print whether a promise held; what was found is shown when it did not."""
        if found == wanted:
            self._console.print(f"  [green]✓[/] {promise}")
            return
        self._failures.append(promise)
        self._console.print(f"  [bold red]✗ {promise}[/]: found {found!r}, wanted {wanted!r}")

    def timeline(self, entries: Sequence[Entry]) -> None:
        """Print what happened to one payment, with elapsed times."""
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
        table.add_column(justify="right", style="dim", no_wrap=True)
        table.add_column(style="magenta", no_wrap=True)
        table.add_column()
        for entry in entries:
            table.add_row(f"{entry.milliseconds:,.0f} ms", entry.lane, entry.text)
        self._console.print(table)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a small table of figures."""
        table = Table(box=None, padding=(0, 2, 0, 2), header_style="dim")
        for position, column in enumerate(columns):
            table.add_column(column, justify="left" if position == 0 else "right")
        for row in rows:
            table.add_row(*row)
        self._console.print(table)

    def progress(self) -> Progress:
        """Return a progress display for long work; silent without a terminal."""
        return Progress(
            SpinnerColumn(),
            TextColumn("  {task.description} {task.completed}/{task.total}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )

    def close(self) -> None:
        """Print the last word."""
        if self.all_held:
            self._console.rule("[bold green]Everything that was promised held")
        else:
            self._console.rule(f"[bold red]{len(self._failures)} promises did not hold")
            for failure in self._failures:
                self._console.print(f"  [red]✗ {failure}")
