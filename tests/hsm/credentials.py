"""A second, independent maker of issuer blocks: it knows the profile, and nothing of `hsm`."""

import base64
import hashlib
import os

from cryptography.hazmat.primitives import cmac, hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import algorithms

OAEP = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)


def secret(pin: str, *, bank_code: str, account: str) -> bytes:
    digits = "".join(c for c in account if c.isdigit())
    left = int(f"0{len(pin):x}{pin}" + "f" * (14 - len(pin)), 16)
    right = int(digits[:-1][-12:] or "0", 16)
    return (left ^ right).to_bytes(8, "big") + hashlib.sha256(
        f"{bank_code}|{account}".encode()
    ).digest()[:8]


def parts(
    pem: bytes, pin: str, content: str, *, bank_code: str, account: str, key_bytes: int = 32
) -> list[bytes]:
    public = serialization.load_pem_public_key(pem)
    key = os.urandom(key_bytes)
    mac = cmac.CMAC(algorithms.AES(key))
    mac.update(content.encode())
    value = secret(pin, bank_code=bank_code, account=account)
    return [public.encrypt(key, OAEP), keywrap.aes_key_wrap(key, value), mac.finalize()]


def text(block_parts: list[bytes]) -> str:
    first, second, third = block_parts
    return base64.b64encode(
        len(first).to_bytes(2, "big") + first + len(second).to_bytes(2, "big") + second + third
    ).decode()
