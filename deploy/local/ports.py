"""Ports on 127.0.0.1 that nobody uses; a part keeps its port between runs while it stays free."""

import fcntl
import json
import os
import secrets
import socket
import tempfile
from pathlib import Path

from deploy.local import environment

HOST = "127.0.0.1"
# Below 32768, where Linux begins to give ports to outgoing connections: none of them takes ours.
PORT_MIN = 15_000
PORT_MAX = 32_000
ATTEMPTS_MAX = 200


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a connection in TIME_WAIT does not keep the port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


class Ports:
    """
    The ports of one data directory, remembered in a file so that addresses stay the same.

    A port taken here is held by a lock of the machine until `release`, because the part that
    listens on it may start much later, and another directory must not choose the same one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ports: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
        self._held: dict[int, int] = {}

    def take(self, name: str, *, preferred: int | None = None) -> int:
        """Return a free port for the part: the one it had, else the preferred one, else any."""
        others = {port for part, port in self._ports.items() if part != name}
        for port in self._candidates(name, preferred=preferred):
            if port not in others and is_free(port) and self._hold(port):
                self._ports[name] = port
                text = json.dumps(self._ports, indent=2, sort_keys=True)
                environment.write_private(self._path, text)
                return port
        message = f"no free port found for {name} in {ATTEMPTS_MAX} attempts"
        raise OSError(message)

    def release(self) -> None:
        """Let other directories have the ports."""
        while self._held:
            os.close(self._held.popitem()[1])

    def _candidates(self, name: str, *, preferred: int | None) -> list[int]:
        wanted = [port for port in (self._ports.get(name), preferred) if port is not None]
        spread = PORT_MAX - PORT_MIN
        return wanted + [PORT_MIN + secrets.randbelow(spread) for _ in range(ATTEMPTS_MAX)]

    def _hold(self, port: int) -> bool:
        if port in self._held:
            return True
        folder = Path(tempfile.gettempdir()) / f"upi-ports-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(folder / str(port), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        self._held[port] = lock
        return True
