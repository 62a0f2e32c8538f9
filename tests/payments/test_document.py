"""docs/PAYMENTS.md names a test for every rule, and every test it names exists."""

import ast
import functools
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"`((?:P|[a-z]+)/[a-z_/]+\.py)::(test_[a-z0-9_]+)`")


def test_every_test_that_the_document_names_exists():
    named = NAMED.findall((ROOT / "docs/PAYMENTS.md").read_text())
    missing = [
        f"{file}::{test}"
        for file, test in named
        if test not in names_in(ROOT / "tests" / file.replace("P/", "payments/", 1))
    ]

    assert len(named) > 100
    assert missing == []


def test_every_rule_of_the_document_names_a_test():
    text = (ROOT / "docs/PAYMENTS.md").read_text()
    tables = re.findall(r"\| rule \| test \|\n\|[ -|]*\|\n((?:\|.*\n)+)", text)
    rules = [row for table in tables for row in table.splitlines()]

    assert len(rules) > 60
    assert [row for row in rules if not NAMED.search(row)] == []


@functools.cache
def names_in(file: Path) -> set[str]:
    if not file.exists():
        return set()
    return {
        node.name for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef)
    }  # fmt: skip
