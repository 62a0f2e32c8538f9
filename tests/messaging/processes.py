"""Other processes of the platform, on the test's own database."""

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)

_START = """
import django
from django.conf import settings
from django.core.management import call_command
django.setup()
settings.MESSAGING_CONSUMERS = "tests.messaging.handlers.CONSUMERS"
"""


def start(code: str, **changes: str) -> "subprocess.Popen[str]":
    """Start Python code in a process that is set up like ours; FAULT_AT and the like by name."""
    entry = settings.DATABASES["default"]
    address = f"{entry['HOST']}:{entry['PORT']}/{entry['NAME']}"
    values = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "upi_platform.settings.test",
        "DATABASE_URL": f"postgresql://{entry['USER']}:{entry['PASSWORD']}@{address}",
        "KAFKA_BOOTSTRAP_SERVERS": settings.KAFKA_BOOTSTRAP_SERVERS,
        "PYTHONPATH": str(ROOT),
        **changes,
    }
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _START + code],
        env=values,
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(code: str, **changes: str) -> int:
    """Run Python code to its end and return its exit code; -9 says that it was killed."""
    process = start(code, **changes)
    _, errors = process.communicate(timeout=60)
    assert process.returncode in {0, -9}, errors
    return process.returncode
