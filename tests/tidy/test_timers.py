"""docs/TIMERS.md: one table of all timers, held to the settings."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_SETTING = re.compile(r"^([A-Z_]+) = (.*_timer\(.*)$", re.MULTILINE)
_TIMER = re.compile(r"_timer\(([0-9 *]+)\)")
_FIXED = re.compile(r"^((?:UPI|LEASE)_[A-Z_]*SECONDS) = ([0-9]+)$", re.MULTILINE)
_ROW = re.compile(r"^\| `([A-Z_]+)` \| ([0-9, ]+) \| (yes|no) \|", re.MULTILINE)


def product(text: str) -> int:
    result = 1
    for factor in text.split("*"):
        result *= int(factor)
    return result


def test_every_timer_is_in_the_table_with_its_seconds():
    settings = (ROOT / "upi_platform/settings/upi.py").read_text()
    kept = {
        name: ([product(each) for each in _TIMER.findall(value)], "yes")
        for name, value in _SETTING.findall(settings)
    }
    kept |= {name: ([int(value)], "no") for name, value in _FIXED.findall(settings)}

    table = (ROOT / "docs/TIMERS.md").read_text()
    written = {
        name: ([int(each) for each in seconds.split(",")], scaled)
        for name, seconds, scaled in _ROW.findall(table)
    }

    assert len(kept) >= 15
    assert written == kept
