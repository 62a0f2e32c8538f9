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
def own_directory(patch: pytest.MonkeyPatch) -> Iterator[LocalDirectory]:
    """A data directory of its own; addresses of servers in the environment are hidden."""
    given = environment.inherited()
    kept = {name: given[name] for name in KEPT if name in given}
    patch.setattr(environment, "inherited", lambda: dict(kept))
    # Not in pytest's own folder, which is closed: a server that refuses root runs as another user.
    with tempfile.TemporaryDirectory("", "upi-") as folder:
        Path(folder).chmod(0o755)
        yield LocalDirectory(Path(folder) / "local")


@pytest.fixture
def directory(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalDirectory]:
    """
    A data directory for one test.

    It patches through the test's own fixture: two that patch the same name restore what the other
    left, unless they end in the right order.
    """
    with own_directory(monkeypatch) as directory:
        yield directory


@pytest.fixture(scope="module")
def shared_directory() -> Iterator[LocalDirectory]:
    """A data directory for the tests of one module."""
    with pytest.MonkeyPatch.context() as patch, own_directory(patch) as directory:
        yield directory
