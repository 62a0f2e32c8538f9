"""The files that a seed leaves for the phones, shops and staff that it made up."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

CROWD = "load.jsonl"
_OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class SeedFiles:
    """A folder; what is secret in it only its owner can read."""

    directory: Path

    def read(self, name: str) -> Any | None:
        """Return what `<name>.json` holds, None if there is no such file."""
        path = self.directory / f"{name}.json"
        return json.loads(path.read_bytes()) if path.exists() else None

    def write(self, name: str, content: Any) -> None:
        """Write `<name>.json`."""
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        self._write(f"{name}.json", text)

    def public_key_of(self, name: str) -> str:
        """Return the phone's public key: one that the phone left here, else a new pair's."""
        given = self.directory / f"{name}.public.pem"
        if given.exists():
            return given.read_text()
        private, public = new_key()
        self._write(f"{name}.key.pem", private)
        self._write(f"{name}.public.pem", public)
        return public

    def crowd(self) -> Iterator[Mapping[str, Any]]:
        """Yield the customers of earlier load seeds."""
        path = self.directory / CROWD
        if path.exists():
            yield from (json.loads(line) for line in path.read_text().splitlines())

    def add_to_crowd(self, customers: Iterable[Mapping[str, Any]]) -> None:
        """Append customers, one a line."""
        lines = "".join(json.dumps(customer) + "\n" for customer in customers)
        path = self.directory / CROWD
        self._write(CROWD, (path.read_text() if path.exists() else "") + lines)

    def forget_crowd(self) -> None:
        """Remove the crowd's file."""
        (self.directory / CROWD).unlink(missing_ok=True)

    def _write(self, name: str, text: str) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / name
        path.touch(mode=_OWNER_ONLY)
        path.write_text(text)


def new_key() -> tuple[str, str]:
    """Return a new device key as PEM: (private, public)."""
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()
