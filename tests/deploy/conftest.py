"""Local servers and parts in directories of their own, with nothing inherited but the path."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local import environment
from deploy.local.directory import LocalDirectory

KEPT = ("PATH", "HOME", "LANG", "UPI_CACHE_DIR")


@contextmanager
def own_directory() -> Iterator[LocalDirectory]:
    """A data directory of its own; addresses of servers in the environment are hidden."""
    given = environment.inherited()
    kept = {name: given[name] for name in KEPT if name in given}
    # Not in pytest's own folder, which is closed: a server that refuses root runs as another user.
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory("", "upi-") as folder:
        patch.setattr(environment, "inherited", lambda: dict(kept))
        Path(folder).chmod(0o755)
        yield LocalDirectory(Path(folder) / "local")


@pytest.fixture
def directory() -> Iterator[LocalDirectory]:
    """A data directory for one test."""
    with own_directory() as directory:
        yield directory


@pytest.fixture(scope="module")
def shared_directory() -> Iterator[LocalDirectory]:
    """A data directory for the tests of one module."""
    with own_directory() as directory:
        yield directory
