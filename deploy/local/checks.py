"""All checks that need no test: `python -m deploy.local.checks`, two at a time."""

import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

from deploy.local import console, environment
from deploy.local.directory import REPOSITORY

AT_A_TIME = 2
PYTHON = sys.executable
PACKAGES = ("apps", "hsm", "upi_platform", "sandbox", "conformance", "deploy")


@dataclass(frozen=True, slots=True)
class Check:
    """One command that must end with code 0."""

    name: str
    command: tuple[str, ...]
    changes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """How a check ended."""

    check: Check
    code: int
    output: str
    seconds: float


# The longest first, so that the others run beside it.
CHECKS = (
    Check("mypy", (PYTHON, "-m", "mypy", *PACKAGES)),
    Check("import contracts", (f"{sys.prefix}/bin/lint-imports",)),
    Check(
        "check --deploy",
        (PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"),
        {"DJANGO_SETTINGS_MODULE": "upi_platform.settings.production"},
    ),
    Check("migrations", (PYTHON, "manage.py", "makemigrations", "--check", "--dry-run")),
    Check("ruff check", (PYTHON, "-m", "ruff", "check", ".")),
    Check("ruff format", (PYTHON, "-m", "ruff", "format", "--check", ".")),
)


def main() -> int:
    """Run all checks, show each as it ends, and return 1 if one failed."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        running = [pool.submit(_run, check) for check in CHECKS]
        findings = [_show(ended.result()) for ended in as_completed(running)]
    return 1 if any(finding.code for finding in findings) else 0


def _run(check: Check) -> Finding:
    begun = time.monotonic()
    finished = subprocess.run(
        check.command,
        cwd=REPOSITORY,
        env=environment.inherited() | dict(check.changes),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Finding(check, finished.returncode, finished.stdout, time.monotonic() - begun)


def _show(finding: Finding) -> Finding:
    failed = finding.code != 0
    word = console.coloured("FAILED" if failed else "ok", colour="31" if failed else "32")
    console.say(f"{finding.check.name:<18} {word} ({finding.seconds:.1f} s)")
    if failed:
        console.say(finding.output.rstrip())
    return finding


if __name__ == "__main__":
    sys.exit(main())
