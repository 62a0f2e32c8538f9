"""The data directory of one local platform: where its files are; one run at a time holds it."""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deploy.local import environment
from deploy.local.errors import DirectoryInUseError

REPOSITORY = Path(__file__).resolve().parents[2]
# sun_path of unix(7) holds 108 bytes, and the server adds its own file name.
SOCKET_PATH_MAX = 80


class LocalDirectory:
    """Paths under UPI_LOCAL_DIR; every path that is asked for exists."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    @classmethod
    def from_environment(cls) -> "LocalDirectory":
        """Return the directory UPI_LOCAL_DIR names, `.local` of the repository by default."""
        named = environment.inherited().get("UPI_LOCAL_DIR")
        return cls(Path(named) if named else REPOSITORY / ".local")

    @property
    def env_file(self) -> Path:
        """The dotenv file with the addresses of the last run."""
        return self.root / "env"

    @property
    def ports_file(self) -> Path:
        """The ports each part had."""
        return _made(self.root) / "ports.json"

    @property
    def logs(self) -> Path:
        """One log file per part; what parts print is for the owner's eyes."""
        return _made(self.root / "log", mode=0o700)

    @property
    def run(self) -> Path:
        """Process ids and run files, worthless once nothing runs."""
        return _made(self.root / "run", mode=0o700)

    @property
    def keys(self) -> Path:
        """Where public keys are exchanged as PEM files."""
        return _made(self.root / "keys")

    @property
    def cache(self) -> Path:
        """Downloads, shared by every data directory of this repository."""
        named = environment.inherited().get("UPI_CACHE_DIR")
        return _made(Path(named) if named else REPOSITORY / ".local" / "cache")

    def data(self, name: str) -> Path:
        """Return the folder for one server's own data."""
        return _made(self.root / name)

    def emptied(self, name: str) -> Path:
        """Return a folder for what is worth nothing after this run, with nothing in it."""
        shutil.rmtree(self.root / name, ignore_errors=True)
        return _made(self.root / name)

    def open_ground(self) -> Path:
        """
        Return a folder that another user of the machine can reach, for a server that refuses root.

        It is this directory where every parent lets others pass; else one under /var/tmp with a
        name derived from this directory, because a clone in root's home is closed to everybody.
        """
        _made(self.root)
        if all(parent.stat().st_mode & 0o001 for parent in (self.root, *self.root.parents)):
            return self.root
        return _made(self._outside())

    def socket_directory(self, name: str) -> Path:
        """Return a folder whose path is short enough for a unix socket."""
        folder = self.open_ground() / name
        if len(str(folder)) > SOCKET_PATH_MAX:
            folder = Path(tempfile.gettempdir()) / f"{name}-{self._digest()}"
        return _made(folder)

    def secret(self, name: str, *, characters: int = 32) -> str:
        """Return the random word of this name, made once and kept with mode 600."""
        path = _made(self.root) / "secrets.json"
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        if name not in known:
            known[name] = secrets.token_hex(characters // 2)
            environment.write_private(path, json.dumps(known, indent=2, sort_keys=True))
        return known[name]

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the directory for this run. Raises DirectoryInUseError when another run has it."""
        lock = os.open(_made(self.root) / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.read(lock, 20).decode().strip() or "unknown"
                message = (
                    f"{self.root} is in use by process {holder}: "
                    "stop it, or set UPI_LOCAL_DIR to another directory"
                )
                raise DirectoryInUseError(message) from None
            os.ftruncate(lock, 0)
            os.write(lock, str(os.getpid()).encode())
            yield
        finally:
            os.close(lock)

    def remove(self) -> None:
        """Delete everything this directory holds, except the shared downloads."""
        for outside in (self._outside(), self._socket_outside("sockets")):
            shutil.rmtree(outside, ignore_errors=True)
        if not self.root.exists():
            return
        for entry in self.root.iterdir():
            if entry.name in {"cache", "uv", "lock"}:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                with suppress(FileNotFoundError):
                    entry.unlink()

    def _outside(self) -> Path:
        return Path("/var/tmp") / f"upi-local-{self._digest()}"  # noqa: S108 - survives a restart

    def _socket_outside(self, name: str) -> Path:
        return Path(tempfile.gettempdir()) / f"{name}-{self._digest()}"

    def _digest(self) -> str:
        return hashlib.sha256(str(self.root).encode()).hexdigest()[:12]


def _made(path: Path, *, mode: int = 0o755) -> Path:
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    return path
