"""Local servers and parts in directories of their own, with nothing inherited but the path."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import environment
from deploy.local.directory import LocalDirectory

KEPT = ("PATH", "HOME", "LANG", "UPI_CACHE_DIR")


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalDirectory]:
    """A data directory of its own; addresses of servers in the environment are hidden."""
    given = environment.inherited()
    kept = {name: given[name] for name in KEPT if name in given}
    monkeypatch.setattr(environment, "inherited", lambda: dict(kept))
    # Servers that refuse root run as another user, who must get here.
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_mode & 0o001 == 0:
            folder.chmod(folder.stat().st_mode | 0o011)
    directory = LocalDirectory(tmp_path / "local")
    yield directory
    directory.remove()
