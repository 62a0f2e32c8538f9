"""How a benchmark reports: a table for people, and rows for whoever started it."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

_WIDTH_WITHOUT_TERMINAL = 120


@dataclass(frozen=True)
class Row:
    """One figure, and what it is held against in the same run, if anything."""

    name: str
    value: float
    unit: str
    baseline: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.value / self.baseline if self.baseline else None


def console() -> Console:
    probe = Console()
    return probe if probe.is_terminal else Console(width=_WIDTH_WITHOUT_TERMINAL, highlight=False)


def figure(value: float | None) -> str:
    """Write a figure with as many decimals as it deserves."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}"


def report(title: str, rows: Sequence[Row]) -> None:
    """Print the table, and hand the rows over by the file that BENCH_ROWS names."""
    table = Table("name", "value", "unit", "baseline", "ratio", title=title, title_justify="left")
    for row in rows:
        table.add_row(
            row.name, figure(row.value), row.unit, figure(row.baseline), figure(row.ratio)
        )
    console().print(table)
    named = os.environ.get("BENCH_ROWS")
    if named:
        kept = read(Path(named)) + list(rows)
        Path(named).write_text(json.dumps([asdict(row) for row in kept]))


def read(file: Path) -> list[Row]:
    """Return the rows that a benchmark handed over."""
    return [Row(**members) for members in json.loads(file.read_text())] if file.exists() else []
