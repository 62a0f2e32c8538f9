"""The core-banking host's MAC key: born here, wrapped for the bank's token, used on every frame."""

import asyncio
import hmac
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC

from sandbox import host_codec, pem, world

_KEY_BYTES = 32
_LOOK_SECONDS = 0.2
# The padding of which a token's module knows no better one (SoftHSM 2.6): SHA-1 resists here, for
# OAEP needs no collision resistance.
_PADDING = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), label=None)  # noqa: S303


class HostKeys:
    """The key that the host shares with the bank."""

    def __init__(self, folder: Path, exchange: Path) -> None:
        self._exchange = exchange
        self._key = _own(folder / "host-mac.key")
        # The public key for which the bank has it: it is wrapped once for each.
        self._done = folder / "host-mac.given-to.pem"

    def mac(self, signed: bytes) -> bytes:
        """Return the MAC over a message's bytes."""
        made = CMAC(algorithms.AES(self._key))
        made.update(signed)
        return made.finalize()[: host_codec.MAC_BYTES]

    def is_right(self, message: host_codec.Message) -> bool:
        """Say whether a message carries the right MAC."""
        return message.mac is not None and hmac.compare_digest(
            message.mac, self.mac(message.signed)
        )

    async def hand_over(self) -> None:
        """Wrap the key for every public key that the bank shows, for as long as the host runs."""
        shown = self._exchange / f"{world.BANK}.host-transport.pem"
        answer = self._exchange / f"{world.BANK}.host-mac.wrapped"
        while True:
            content = shown.read_bytes() if shown.exists() else b""
            done = self._done.read_bytes() if answer.exists() and self._done.exists() else b""
            if content != done and (public := _public(content)) is not None:
                pem.write(answer, public.encrypt(self._key, _PADDING), mode=0o644)
                pem.write(self._done, content, mode=0o600)
            await asyncio.sleep(_LOOK_SECONDS)


def _own(path: Path) -> bytes:
    if not path.exists():
        pem.write(path, secrets.token_bytes(_KEY_BYTES), mode=0o600)
    return path.read_bytes()


def _public(content: bytes) -> rsa.RSAPublicKey | None:
    """Read a public key; None for half a file, which is whole at the next look."""
    try:
        found = serialization.load_pem_public_key(content)
    except ValueError:
        return None
    return found if isinstance(found, rsa.RSAPublicKey) else None
