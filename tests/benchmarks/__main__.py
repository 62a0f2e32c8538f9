"""
Run the benchmarks one after the other, each on fresh servers: `python -m tests.benchmarks`.

BENCH="posting legs" chooses, ROUNDS=3 gives medians of three, QUICK=1 runs each briefly. A part
that fails, or whose promises did not hold, is void: its figures are left out and the end is 1.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from deploy.local.directory import LocalDirectory
from deploy.local.process_file import PYTHON
from tests.benchmarks.parts import Part, chosen
from tests.benchmarks.report import Row, console, figure, read
from tests.benchmarks.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("UPI_LOCAL_DIR", ".local/bench"))
FILE = Path(os.environ.get("BENCH_FILE", ".local/bench.json"))
ROUNDS = int(os.environ.get("ROUNDS", "1"))


def main() -> int:
    """Run, print the table, write the file; return 0 when every part counts."""
    parts = chosen(os.environ.get("BENCH", ""))
    rounds: dict[str, list[Row]] = {}
    void = []
    for number in range(1, ROUNDS + 1):
        for part in parts:
            load = os.getloadavg()[0]
            console().rule(f"{part.name}, round {number} of {ROUNDS}, load {load:.1f}")
            rows = _run(part)
            if not rows:
                void.append(f"{part.name} (round {number})")
            for row in rows:
                rounds.setdefault(row.name, []).append(row)
    rows = [_median(same) for same in rounds.values()]
    _print(rows)
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps([_kept(row) for row in rows], indent=2) + "\n")
    if void:
        console().print(f"[bold red]void, and not in the table: {', '.join(void)}")
    return 1 if void else 0


def _run(part: Part) -> Sequence[Row]:
    """Return a part's rows; none when it is void."""
    directory = LocalDirectory((FOLDER / part.name).absolute())
    with directory.held():
        directory.remove()
    handed_over = (FOLDER / f"{part.name}.json").absolute()
    handed_over.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "UPI_LOCAL_DIR": str(directory.root),
        "BENCH_ROWS": str(handed_over),
    }
    command = [PYTHON, "-m", f"tests.benchmarks.bench_{part.name}"]
    if part.servers:
        servers = [PYTHON, "-m", "deploy.local", "run", "--only", part.servers, "--"]
        command = [*servers, *command]
    done = subprocess.run(command, env=environment, cwd=ROOT, check=False)
    return read(handed_over) if done.returncode == 0 else ()


def _median(rows: Sequence[Row]) -> Row:
    baselines = [row.baseline for row in rows if row.baseline is not None]
    return Row(
        rows[0].name,
        statistics.median(row.value for row in rows),
        rows[0].unit,
        statistics.median(baselines) if baselines else None,
    )


def _print(rows: Sequence[Row]) -> None:
    names = ("name", "value", "unit", "baseline", "ratio", "target", "")
    table = Table(*names, title=f"{ROUNDS} round(s)", title_justify="left")
    for row in rows:
        target = TARGETS.get(row.name)
        verdict = target.verdict(row) if target else ""
        table.add_row(
            row.name,
            figure(row.value),
            row.unit,
            figure(row.baseline),
            figure(row.ratio),
            str(target or ""),
            f"[{'green' if verdict == 'met' else 'red'}]{verdict}" if verdict else "",
        )
    console().print(table)


def _kept(row: Row) -> Mapping[str, str | float | None]:
    return {
        "name": row.name,
        "value": _rounded(row.value),
        "unit": row.unit,
        "baseline": _rounded(row.baseline),
        "ratio": _rounded(row.ratio),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


if __name__ == "__main__":
    sys.exit(main())
