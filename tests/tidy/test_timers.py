"""docs/TIMERS.md: one table of all timers, held to the rows and the settings."""

import re
from pathlib import Path

import pytest

from apps.upi.timer_models import TimerRule

ROOT = Path(__file__).resolve().parents[2]
_FIXED = re.compile(r"^(LEASE_[A-Z_]*SECONDS) = ([0-9]+)$", re.MULTILINE)
_ROW = re.compile(r"^\| `([A-Z_]+)` \| ([0-9]+) \| (yes|no) \|", re.MULTILINE)


@pytest.mark.django_db
def test_every_timer_is_in_the_table_with_its_seconds():
    settings = (ROOT / "upi_platform/settings/upi.py").read_text()
    kept = {name: (int(value), "no") for name, value in _FIXED.findall(settings)}
    kept |= {
        rule.timer: (rule.seconds, "yes" if rule.is_scaled else "no")
        for rule in TimerRule.objects.filter(valid_to_date__isnull=True)
    }

    table = (ROOT / "docs/TIMERS.md").read_text()
    written = {name: (int(seconds), scaled) for name, seconds, scaled in _ROW.findall(table)}

    assert len(kept) >= 15
    assert written == kept
