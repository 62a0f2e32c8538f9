"""The style that a machine can see: sizes, and things that have exactly one home."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FUNCTION_LINES_MAX = 60
MODULE_LINES_MAX = 400

# Each thing that has exactly one home, and that home. A home that ends in "/" is a folder.
ONE_HOME = {
    "timezone.now(": ["apps/common/clock.py"],
    "os.environ": [
        "upi_platform/settings/env.py",
        "upi_platform/celery.py",
        "upi_platform/wsgi.py",
        "manage.py",
        "deploy/local/",
        "sandbox/",
    ],
    "FIXME": [],
    "TODO": [],
    "confluent_kafka": ["apps/messaging/kafka.py", "apps/messaging/", "deploy/local/"],
    "import pkcs11": ["hsm/"],
    "GenericForeignKey": [],
    "django.dispatch": [],
}
BANNED_NAMES = {"utils", "helpers", "misc", "managers", "signals", "constants"}


def _files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    return [ROOT / name for name in listed if "/migrations/" not in name and (ROOT / name).exists()]


def _code() -> list[Path]:
    return [file for file in _files() if not file.relative_to(ROOT).as_posix().startswith("tests/")]


def test_no_module_is_longer_than_400_lines():
    long = {
        str(file.relative_to(ROOT)): lines
        for file in _files()
        if (lines := len(file.read_text().splitlines())) > MODULE_LINES_MAX
    }

    assert long == {}


def test_no_function_is_longer_than_60_lines():
    long = {}
    for file in _files():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    long[f"{file.relative_to(ROOT)}:{node.name}"] = lines

    assert long == {}


@pytest.mark.parametrize(("thing", "homes"), ONE_HOME.items())
def test_a_thing_is_found_only_in_its_home(thing, homes):
    strays = [
        name
        for file in _code()
        if thing in file.read_text()
        and not any((name := file.relative_to(ROOT).as_posix()).startswith(home) for home in homes)
    ]

    assert strays == []


def test_no_module_is_named_for_nothing():
    named = [file.name for file in _code() if file.stem in BANNED_NAMES]

    assert named == []


def test_money_is_never_a_float():
    uses = []
    for file in _code():
        if file.relative_to(ROOT).parts[:2] in {
            ("apps", "ledger"),
            ("apps", "payments"),
            ("apps", "risk"),
        }:
            uses += [
                f"{file.relative_to(ROOT)}:{node.lineno}"
                for node in ast.walk(ast.parse(file.read_text()))
                if isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "float"
            ]

    assert uses == []


def test_every_module_says_in_a_sentence_what_it_is_for():
    silent = [
        str(file.relative_to(ROOT))
        for file in _code()
        if file.read_text().strip() and not ast.get_docstring(ast.parse(file.read_text()))
    ]

    assert silent == []
