"""
Credential blocks: the phone makes one for the switch, the switch makes another for the issuer.

Both layouts are this project's own profiles; the public sources do not give the real ones.
The device block binds the PIN to the message and to the device; the issuer block lets a token
verify the PIN without showing it.
"""

import base64
import hashlib
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

VERSION = "2.0|"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_LENGTH_BYTES = 2
_ACCOUNT_HASH_BYTES = 8
_ACCOUNT_DIGITS = 12
_PIN_BLOCK_BYTES = 8
_OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # noqa: S303 - the token's OAEP knows SHA-1 only


class BlockRefusedError(Exception):
    """The block cannot be opened, or it is bound to other content."""


@dataclass(frozen=True, slots=True)
class DeviceBinding:
    """What a phone ties a credential to: the payment as shown to the payer, and the phone."""

    transaction_id: str
    amount: str
    payer: str
    payee: str
    mobile: str
    device_id: str
    app_id: str


@dataclass(frozen=True, slots=True)
class IssuerBinding:
    """What the switch ties an issuer's block to: the message in which the issuer receives it."""

    api: str
    type: str
    transaction_id: str
    amount: str
    payer: str
    payee: str

    def text(self) -> bytes:
        """Return the bytes that the block's MAC covers."""
        parts = (self.api, self.type, self.transaction_id, self.amount, self.payer, self.payee)
        return "|".join(parts).encode()


@dataclass(frozen=True, slots=True)
class Opened:
    """A device block as the switch sees it after decryption."""

    secret: str
    sub_type: str
    binding: DeviceBinding

    def __repr__(self) -> str:
        """Keep the secret out of logs and tracebacks."""
        return f"Opened(***, {self.sub_type}, {self.binding.transaction_id})"


def make_device_block(
    secret: str, *, sub_type: str, binding: DeviceBinding, switch_key: rsa.RSAPublicKey
) -> str:
    """Encrypt a PIN or an OTP to the switch, tied to what the payer saw and to this device."""
    key = secrets.token_bytes(_KEY_BYTES)
    nonce = secrets.token_bytes(_NONCE_BYTES)
    content = {"secret": secret, "sub_type": sub_type, "binding": asdict(binding)}
    sealed = AESGCM(key).encrypt(nonce, json.dumps(content).encode(), VERSION.encode())
    wrapped = switch_key.encrypt(key, padding.PKCS1v15())
    block = VERSION + base64.b64encode(wrapped + nonce + sealed).decode()
    _note_canary(block=block, secret=secret, kind=sub_type)
    return block


def open_device_block(block: str, switch_key: rsa.RSAPrivateKey) -> Opened:
    """
    Decrypt a device block at the switch.

    Raises BlockRefusedError.
    """
    raw = _raw(block)
    size = switch_key.key_size // 8
    wrapped, nonce = raw[:size], raw[size : size + _NONCE_BYTES]
    try:
        # A wrong padding gives a random key here, not an error: the seal below then refuses.
        key = switch_key.decrypt(wrapped, padding.PKCS1v15())
        sealed = raw[size + _NONCE_BYTES :]
        content = json.loads(AESGCM(key).decrypt(nonce, sealed, VERSION.encode()))
    except (ValueError, InvalidTag) as error:
        raise BlockRefusedError("not encrypted to this switch") from error
    return Opened(content["secret"], content["sub_type"], DeviceBinding(**content["binding"]))


def make_issuer_block(
    secret: str,
    *,
    binding: IssuerBinding,
    bank_code: str,
    account: str,
    issuer_key: rsa.RSAPublicKey,
) -> str:
    """Encrypt a PIN or an OTP to the issuer: wrapped key, wrapped PIN block, MAC of the message."""
    key = secrets.token_bytes(_KEY_BYTES)
    wrapped_key = issuer_key.encrypt(key, _OAEP)
    sealed_secret = _sealed_secret(secret, bank_code, account)
    wrapped_secret = aes_key_wrap(key, sealed_secret)
    raw = b"".join(
        (
            len(wrapped_key).to_bytes(_LENGTH_BYTES),
            wrapped_key,
            len(wrapped_secret).to_bytes(_LENGTH_BYTES),
            wrapped_secret,
            _mac(key, binding),
        )
    )
    block = VERSION + base64.b64encode(raw).decode()
    _note_canary(block=block, secret=secret, sealed=sealed_secret.hex(), account=account)
    return block


def check_issuer_block(
    block: str,
    expected: str,
    *,
    binding: IssuerBinding,
    bank_code: str,
    account: str,
    issuer_key: rsa.RSAPrivateKey,
) -> bool:
    """
    Say, at the other bank, whether the block holds the expected secret of this account.

    Raises BlockRefusedError when it cannot be opened or is tied to another message.
    """
    raw = _raw(block)
    wrapped_key, rest = _cut(raw)
    wrapped_secret, mac = _cut(rest)
    try:
        key = issuer_key.decrypt(wrapped_key, _OAEP)
        check = CMAC(algorithms.AES(key))
        check.update(binding.text())
        check.verify(mac)
        found = aes_key_unwrap(key, wrapped_secret)
    except (ValueError, InvalidSignature, InvalidUnwrap) as error:
        raise BlockRefusedError("not this issuer's, or tied to another message") from error
    return secrets.compare_digest(found, _sealed_secret(expected, bank_code, account))


def _sealed_secret(secret: str, bank_code: str, account: str) -> bytes:
    """Return the ISO-0 PIN block and the first bytes of the account's hash."""
    digits = "".join(sign for sign in account if sign.isdigit())[-_ACCOUNT_DIGITS - 1 : -1]
    filled = f"0{len(secret):x}{secret}".ljust(2 * _PIN_BLOCK_BYTES, "f")
    number = int(filled, 16) ^ int(digits.rjust(_ACCOUNT_DIGITS, "0"), 16)
    identity = hashlib.sha256(f"{bank_code}|{account}".encode()).digest()
    return number.to_bytes(_PIN_BLOCK_BYTES) + identity[:_ACCOUNT_HASH_BYTES]


def _note_canary(**facts: str) -> None:
    """Write down what we made, for the test that looks for it everywhere else."""
    name = os.environ.get("CANARY_FILE")
    if name:
        # One write per line, unbuffered: several processes append to the same file.
        with Path(name).open("ab", buffering=0) as file:
            file.write(json.dumps(facts).encode() + b"\n")


def _mac(key: bytes, binding: IssuerBinding) -> bytes:
    made = CMAC(algorithms.AES(key))
    made.update(binding.text())
    return made.finalize()


def _raw(block: str) -> bytes:
    if not block.startswith(VERSION):
        raise BlockRefusedError("unknown version")
    try:
        return base64.b64decode(block[len(VERSION) :], validate=True)
    except ValueError as error:
        raise BlockRefusedError("not base64") from error


def _cut(raw: bytes) -> tuple[bytes, bytes]:
    size = int.from_bytes(raw[:_LENGTH_BYTES])
    body = raw[_LENGTH_BYTES:]
    if len(body) < size:
        raise BlockRefusedError("too short")
    return body[:size], body[size:]
