"""How a benchmark reports: a table for people, and rows kept in .local/bench.json."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

FILE = Path(os.environ.get("BENCH_FILE", ".local/bench.json"))


@dataclass(frozen=True)
class Row:
    """One figure, and what it is held against."""

    name: str
    value: float
    unit: str
    baseline: float

    @property
    def ratio(self):
        return self.value / self.baseline


def report(title, rows):
    """Print the table and append the rows to the file."""
    table = Table("what", "figure", "baseline", "ratio", title=title)
    for row in rows:
        table.add_row(
            row.name,
            f"{row.value:,.0f} {row.unit}",
            f"{row.baseline:,.0f} {row.unit}",
            f"{row.ratio:.2f}",
        )
    Console().print(table)
    FILE.parent.mkdir(parents=True, exist_ok=True)
    kept = json.loads(FILE.read_text()) if FILE.exists() else []
    kept += [
        {
            "name": row.name,
            "value": round(row.value, 1),
            "unit": row.unit,
            "baseline": round(row.baseline, 1),
            "ratio": round(row.ratio, 2),
        }
        for row in rows
    ]
    FILE.write_text(json.dumps(kept, indent=2) + "\n")
