"""The switch's own keys: one is used, others are announced or had their time."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox import clock, world
from sandbox.pem import private_pem, write

# Project profile: so long what was made for a key is still taken after the next one began.
OVERLAP = dt.timedelta(days=7)
_KEY_BITS = 2048
_EXPONENT = 65537
_BEGINS = "%Y%m%dT%H%M%S"


class KeyIndexTakenError(Exception):
    """A key with this index, its first day, is there already."""


@dataclass(frozen=True, slots=True, eq=False)
class OwnKey:
    """One key and the instant from which it is used."""

    begins_at: dt.datetime
    private: rsa.RSAPrivateKey

    @property
    def public(self) -> rsa.RSAPublicKey:
        """Return what others see of it."""
        return self.private.public_key()

    @property
    def key_index(self) -> str:
        """Return the first day on which it is used, as messages name a key."""
        return f"{self.begins_at:%Y%m%d}"


class OwnKeys:
    """The keys for one purpose, the oldest first. There is always one that is used."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        first = dt.datetime.strptime(world.SWITCH_KEY_INDEX, "%Y%m%d").replace(tzinfo=clock.IST)
        self._keys = [OwnKey(first, own_key(folder / f"{name}.private.pem"))]
        for path in sorted(folder.glob(f"{name}.*T*.private.pem")):
            begins = path.name.removeprefix(f"{name}.").removesuffix(".private.pem")
            begins_at = dt.datetime.strptime(begins, _BEGINS).replace(tzinfo=clock.IST)
            self._keys.append(OwnKey(begins_at, own_key(path)))

    def announce(self, begins_at: dt.datetime) -> OwnKey:
        """
        Make the key that is used from this instant, and list it from now on.

        Raises KeyIndexTakenError.
        """
        begins_at = begins_at.replace(microsecond=0)
        if f"{begins_at:%Y%m%d}" in {key.key_index for key in self._keys}:
            raise KeyIndexTakenError
        path = self._folder / f"{self._name}.{begins_at.strftime(_BEGINS)}.private.pem"
        made = OwnKey(begins_at, own_key(path))
        self._keys = sorted([*self._keys, made], key=lambda key: key.begins_at)
        return made

    def used(self) -> OwnKey:
        """Return the key that is used now."""
        now = clock.now()
        return next((key for key in reversed(self._keys) if key.begins_at <= now), self._keys[0])

    def accepted(self) -> list[OwnKey]:
        """Return the keys for which things may still come, the one used now first."""
        now, used = clock.now(), self.used()
        place = self._keys.index(used)
        older = [
            key
            for key, successor in zip(self._keys[:place], self._keys[1 : place + 1], strict=True)
            if now < successor.begins_at + OVERLAP
        ]
        return [used, *reversed(older)]

    def listed(self) -> list[OwnKey]:
        """Return the keys that members may see: those accepted, and those announced."""
        now = clock.now()
        return [*self.accepted(), *(key for key in self._keys[1:] if key.begins_at > now)]


def own_key(path: Path) -> rsa.RSAPrivateKey:
    """Read a private key; it is made when its file is not there."""
    if not path.exists():
        made = rsa.generate_private_key(public_exponent=_EXPONENT, key_size=_KEY_BITS)
        write(path, private_pem(made), mode=0o600)
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey), f"{path.name} is not an RSA key"
    return key
