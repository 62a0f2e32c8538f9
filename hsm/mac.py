"""Message authentication codes by keys that cannot leave the token."""

from collections.abc import Sequence

from hsm import keys
from hsm.configuration import configuration
from hsm.sessions import TokenSession, pool


def mac(label: str, data: bytes) -> bytes:
    """
    Return the HMAC-SHA256 of `data`, 32 bytes; compare it in constant time.

    Raises HsmUnavailableError, KeyMissingError, KeyUnfitError.
    """
    mechanism = configuration().profile.mac

    def work(session: TokenSession) -> bytes:
        code: bytes = session.key(label, keys.MAC).sign(data, mechanism=mechanism)
        return code

    return pool.run(work, operation="mac")


def cmacs(label: str, messages: Sequence[bytes]) -> list[bytes]:
    """
    Return the AES-CMAC of each message by a key shared with core banking, 16 bytes each.

    All of them are made in one use of a session. Raises as `mac` does.
    """
    mechanism = configuration().profile.block_mac

    def work(session: TokenSession) -> list[bytes]:
        key = session.key(label, keys.HOST_MAC)
        return [key.sign(message, mechanism=mechanism) for message in messages]

    return pool.run(work, operation="cmac")
