"""
A process that sets the product up once, on the tests' database, and forks others to be killed.

Its source reads a line for each order and prints how the process that it forked for it has ended.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


class Foundry:
    """The door to it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def tell(self, line: str) -> None:
        """Say what it answers nothing to."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def fork(self, line: str) -> int:
        """Have a process forked, and return what is said of its end."""
        self.tell(line)
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


@contextmanager
def opened_foundry(source: str, **environment: str) -> Iterator[Foundry]:
    """Run a source; `environment` is what it finds besides the tests' own."""
    address = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format_map(
        connection.settings_dict
    )
    with subprocess.Popen(
        [sys.executable, "-c", source],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "upi_platform.settings.test",
            "DATABASE_URL": address,
            **environment,
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Foundry(process)
        assert process.stdin is not None
        process.stdin.close()


def die_after(left: int) -> Callable[..., Any]:
    """Return a wrapper of database statements that kills its process after so many of them."""

    def run(execute: Callable[..., Any], *statement: Any) -> Any:
        nonlocal left
        done = execute(*statement)
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    return run
