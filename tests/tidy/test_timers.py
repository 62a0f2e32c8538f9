"""docs/TIMERS.md: one table of all timers, held to the rows and the settings."""

import datetime as dt
import re
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from apps.upi.timer_models import TimerRule

ROOT = Path(__file__).resolve().parents[2]
_FIXED = re.compile(r"^((?:LEASE|UPI_SWITCH)_[A-Z_]*SECONDS) = ([0-9]+)$", re.MULTILINE)
_ROW = re.compile(r"^\| `([A-Z_]+)` \| ([0-9]+) \| (yes|no) \|", re.MULTILINE)
_HOST_ROW = re.compile(r"^\| `(HOST_[A-Z_]+)` \| ([0-9:., ]+) \|", re.MULTILINE)
_HOST_TIME = re.compile(r"HOST_[A-Z_]+_(SECONDS|AT|DAYS_MAX)")


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


def test_every_time_at_the_core_banking_host_is_in_the_table():
    kept = {
        name: _in_words(getattr(django_settings, name))
        for name in dir(django_settings)
        if _HOST_TIME.fullmatch(name)
    }

    written = dict(_HOST_ROW.findall((ROOT / "docs/TIMERS.md").read_text()))

    assert len(kept) >= 6
    assert written == kept


def _in_words(value):
    if isinstance(value, dt.time):
        return f"{value:%H:%M}"
    return ", ".join(f"{each:g}" for each in (value if isinstance(value, tuple) else [value]))
