"""`python -m deploy.local.certify`: every conformance case on a fresh platform."""

import subprocess
import sys
from pathlib import Path

from deploy.local import command, environment, host_accounts, up
from deploy.local.directory import REPOSITORY
from deploy.local.platform import Platform
from deploy.local.process_file import PYTHON

_CUSTOMERS = 120


def certify(platform: Platform) -> int:
    """Seed, play every case, leave JSON and evidence beside the data, and return the code."""
    root = platform.directory.root
    seeded = manage(platform, "seed_demo", "--phones", root / "phones", "--customers", _CUSTOMERS)
    if seeded:
        return seeded
    host_accounts.fill(platform.environment)
    urls = platform.urls
    return manage(
        platform,
        "certify",
        "--phones", root / "phones",
        "--public-url", urls["public"],
        "--control-url", urls["control"],
        "--json", root / "certify.json",
        "--evidence", root / "evidence.zip",
        *sys.argv[1:],
    )  # fmt: skip


def manage(platform: Platform, *words: str | Path | int) -> int:
    """Run a command of manage.py against the platform and return its code."""
    is_shown = words[0] != "seed_demo"
    return subprocess.run(
        [PYTHON, "manage.py", *map(str, words)],
        cwd=REPOSITORY,
        env=environment.inherited() | platform.environment,
        stdout=None if is_shown else subprocess.DEVNULL,
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(command.run_to_end(lambda: up.on_fresh_platform(certify)))
