"""Keys as PEM files."""

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


def write(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file aside and rename it: a reader never sees half a key."""
    if path.exists() and path.read_bytes() == content:
        return
    aside = path.with_suffix(".new")
    aside.touch(mode=mode)
    aside.write_bytes(content)
    aside.rename(path)


def private_pem(key: PrivateKey) -> bytes:
    """Return the private key in PKCS #8, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def public_pem(key: PublicKey) -> bytes:
    """Return the public key as SubjectPublicKeyInfo."""
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
