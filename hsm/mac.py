"""Message authentication codes by keys that cannot leave the token."""

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

    return pool.run(work)
