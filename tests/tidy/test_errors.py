"""Every refusal has a code of its own, and every code is documented."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import apps
import hsm
from apps.common.errors import DomainError

ROOT = Path(__file__).resolve().parents[2]


def _refusals() -> list[type[DomainError]]:
    for package in (apps, hsm):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in module.name:
                importlib.import_module(module.name)
    found: list[type[DomainError]] = []
    queue: list[type[DomainError]] = [DomainError]
    while queue:
        for child in queue.pop().__subclasses__():
            found.append(child)
            queue.append(child)
    return found


def test_every_refusal_has_its_own_code():
    owners: dict[str, list[str]] = {}
    for refusal in _refusals():
        if "code" in vars(refusal):
            owners.setdefault(refusal.code, []).append(refusal.__qualname__)

    shared = {code: names for code, names in owners.items() if len(names) > 1}
    assert shared == {}


def test_every_code_is_documented():
    documented = set(
        re.findall(r"^\| `([a-z0-9_]+)` \|", (ROOT / "docs/ERRORS.md").read_text(), re.MULTILINE)
    )

    missing = {refusal.code for refusal in _refusals() if "code" in vars(refusal)} - documented
    assert missing == set()


def test_every_refusal_says_what_it_means():
    silent = [refusal.__qualname__ for refusal in _refusals() if not inspect.getdoc(refusal)]

    assert silent == []
