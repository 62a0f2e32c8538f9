"""
The issuer block: the form in which a PIN or an OTP reaches us, encrypted to the issuer key.

Public sources do not give the real layout; ours is base64 of three parts, the first two with their
length before them in two bytes: RSA-OAEP(R), AES-KW(R, S), AES-CMAC(R, binding). R is 32 random
bytes; S is the ISO 9564-1 format 0 block of the PIN and the account, then the first eight bytes of
SHA-256("<bank code>|<account>").
"""

import base64
import binascii
import hashlib
import os
import struct
from dataclasses import dataclass
from typing import Self

from cryptography.hazmat.primitives import cmac, keywrap
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import algorithms

from hsm.errors import PinBlockMalformedError, PinBlockRefusedError
from hsm.keys import RSA_BITS

TRANSPORT_KEY_BYTES = 32
SECRET_BYTES = 16
_KEY_PART_BYTES = RSA_BITS // 8
# RFC 3394: a wrapped key is eight bytes longer than the key.
_SECRET_PART_BYTES = SECRET_BYTES + 8
_MAC_PART_BYTES = 16
_LAYOUT = struct.Struct(f">H{_KEY_PART_BYTES}sH{_SECRET_PART_BYTES}s{_MAC_PART_BYTES}s")
_TEXT_CHARACTERS = 4 * ((_LAYOUT.size + 2) // 3)
# ISO 9564-1, 9.3.2: format 0 holds 4 to 12 digits, and the 12 rightmost of the account number
# without its last, the check digit.
_PIN_DIGITS = range(4, 13)
_ACCOUNT_DIGITS = 12


@dataclass(frozen=True, slots=True)
class PinBinding:
    """
    The content a block was made for, as it stands on the wire.

    `amount` is text such as "149.50"; amount and payee are empty for balance and PIN messages.
    """

    api: str
    type: str
    txn_id: str
    amount: str
    payer: str
    payee: str

    def text(self) -> bytes:
        """Return what the block's MAC covers. Raises PinBlockRefusedError if it is ambiguous."""
        fields = (self.api, self.type, self.txn_id, self.amount, self.payer, self.payee)
        if any("|" in field for field in fields):
            raise PinBlockRefusedError("a separator inside a field")
        return "|".join(fields).encode()


@dataclass(frozen=True, slots=True, repr=False)
class PinBlock:
    """The three parts of a block, each encrypted or a MAC; even so it is never shown or logged."""

    transport_key: bytes
    secret: bytes
    mac: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the base64 after "2.0|". Raises PinBlockMalformedError on any other form."""
        if len(text) != _TEXT_CHARACTERS:
            raise PinBlockMalformedError("the length is not that of a block")
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise PinBlockMalformedError("the text is not base64") from error
        if len(content) != _LAYOUT.size:
            raise PinBlockMalformedError("the length is not that of a block")
        key_bytes, transport_key, secret_bytes, secret, mac = _LAYOUT.unpack(content)
        if (key_bytes, secret_bytes) != (_KEY_PART_BYTES, _SECRET_PART_BYTES):
            raise PinBlockMalformedError("the length of a part is not ours")
        return cls(transport_key, secret, mac)


def seal(secret: bytes, *, key: rsa.RSAPublicKey, oaep: padding.OAEP, binding: bytes) -> PinBlock:
    """Make a block as the switch makes one: for an OTP of ours, and to try the token's health."""
    transport_key = os.urandom(TRANSPORT_KEY_BYTES)
    code = cmac.CMAC(algorithms.AES(transport_key))
    code.update(binding)
    return PinBlock(
        transport_key=key.encrypt(transport_key, oaep),
        secret=keywrap.aes_key_wrap(transport_key, secret),
        mac=code.finalize(),
    )


def secret_of(digits: str, *, bank_code: str, account: str) -> bytes:
    """
    Return S of digits that we know because we minted them: an OTP, never a PIN.

    Raises ValueError on digits that format 0 cannot hold.
    """
    if not (digits.isascii() and digits.isdigit() and len(digits) in _PIN_DIGITS):
        raise ValueError("not 4 to 12 digits")
    known = "".join(c for c in account if c in "0123456789")[:-1][-_ACCOUNT_DIGITS:]
    code = bytes.fromhex(f"0{len(digits):X}{digits}".ljust(16, "F"))
    mask = bytes.fromhex(known.rjust(16, "0"))
    block = bytes(a ^ b for a, b in zip(code, mask, strict=True))
    return block + hashlib.sha256(f"{bank_code}|{account}".encode()).digest()[:8]
