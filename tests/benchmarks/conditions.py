"""Under which conditions a figure counts, and how long a benchmark runs."""

import os

import psycopg

IS_QUICK = os.environ.get("QUICK", "") not in {"", "0"}
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


def seconds(usual: float, *, quick: float) -> float:
    """Return how long to measure."""
    return quick if IS_QUICK else usual


def count(usual: int, *, quick: int) -> int:
    """Return how many to measure."""
    return quick if IS_QUICK else usual


def require_durability(connection: psycopg.Connection) -> None:
    """End the benchmark unless what is committed is on the disk."""
    for name in DURABLE:
        row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
        assert row is not None
        if row[0] != "on":
            raise SystemExit(f"void: {name} is {row[0]}")
