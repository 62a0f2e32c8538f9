"""What the documents say exists: commands, targets, links."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[2]
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def _documents() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("document", _documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document):
    broken = [
        link
        for link in _LINK.findall(document.read_text())
        if not (document.parent / link.strip()).exists()
    ]

    assert broken == []


def test_every_command_of_the_readme_exists():
    section = (ROOT / "README.md").read_text().partition("## Operate it")[2]
    rows = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    commands = {word.split()[0] for row in rows for word in re.findall(r"`([\w ./-]+)`", row)}

    assert commands
    assert commands - set(get_commands()) == set()


def test_every_make_target_of_the_readme_exists():
    targets = set(re.findall(r"`make (\w+)`", (ROOT / "README.md").read_text()))
    targets |= set(re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    made = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert {"demo", "test"} <= targets <= made
