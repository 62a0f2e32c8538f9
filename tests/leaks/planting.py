"""Canaries that no sandbox made, so that the search of the whole run does not know them."""

import base64
import secrets

from tests.leaks import canaries

BLOCK_BYTES = 560


def made_up(*, count: int = 1) -> list[canaries.Canaries]:
    """Return so many canaries."""
    return [
        canaries.of(
            [
                {
                    "block": "2.0|" + base64.b64encode(secrets.token_bytes(BLOCK_BYTES)).decode(),
                    "secret": f"{secrets.randbelow(10**12):012d}",
                    "sealed": secrets.token_hex(16).replace("0a", "0b"),
                    "account": f"0012{secrets.randbelow(10**8):08d}",
                }
            ]
        )
        for _ in range(count)
    ]


def block_of(canary: canaries.Canaries) -> str:
    return next(iter(canary.blocks))
