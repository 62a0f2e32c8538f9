"""
Verify a PIN inside the token: the clear PIN is never in our memory.

In the token: R is unwrapped with the issuer key, the block's MAC is verified with R, S is unwrapped
with R and wrapped again with the PIN verification key; what comes out is compared with what was
kept. R and S are session objects, destroyed before the call returns. Nothing but this module opens
what customers send.

Since S cannot be read, nothing about the PIN can be either: how many digits it has, or whether it
is 1234, is for the page that takes it.
"""

import enum
import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.exceptions import PKCS11Error

from hsm import keys
from hsm.configuration import configuration
from hsm.errors import (
    HsmError,
    KeyMissingError,
    PinBlockMalformedError,
    PinBlockRefusedError,
)
from hsm.pin_block import SECRET_BYTES, PinBinding, PinBlock, seal, secret_of
from hsm.sessions import TokenSession, pool

__all__ = [
    "PinAsk",
    "PinBinding",
    "PinVerdict",
    "Verifier",
    "is_current",
    "make_verifier",
    "otp_verifier",
    "verify",
    "verify_many",
]

log = structlog.get_logger(__name__)

_KEY_INDEX = re.compile(r"[0-9]{8}")
_SESSION_OBJECT = {
    Attribute.TOKEN: False,
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
}
# MODIFIABLE comes last: SoftHSM takes nothing of a template after it.
_FROZEN = {Attribute.COPYABLE: False, Attribute.MODIFIABLE: False}


@dataclass(frozen=True, slots=True)
class Verifier:
    """What is kept of a PIN: it says nothing without the key in the token that it names."""

    key_label: str
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PinAsk:
    """One block to verify; `key_index` is the credential's `ki`."""

    block: str = field(repr=False)
    key_index: str
    binding: PinBinding
    bank_code: str
    account: str = field(repr=False)
    verifier: Verifier


class PinVerdict(enum.Enum):
    """What the token says of a block. Only WRONG is about the PIN."""

    RIGHT = "RIGHT"
    WRONG = "WRONG"
    REFUSED = "REFUSED"
    MALFORMED = "MALFORMED"
    UNAVAILABLE = "UNAVAILABLE"


def verify(
    block: str,
    *,
    key_index: str,
    binding: PinBinding,
    bank_code: str,
    account: str,
    verifier: Verifier,
) -> bool:
    """
    Return whether the block holds the PIN of the verifier, for this account and this content.

    Raises PinBlockMalformedError, PinBlockRefusedError, HsmUnavailableError, KeyMissingError,
    KeyUnfitError; none of them is about the PIN.
    """
    value = _value(
        block,
        key_index=key_index,
        binding=binding,
        owner=_owner(bank_code, account),
        pin_key=verifier.key_label,
    )
    return hmac.compare_digest(value, verifier.value)


def verify_many(asks: Sequence[PinAsk]) -> list[PinVerdict]:
    """Return a verdict for each, in order; several are worked at once and none stops another."""
    return pool.run_many(_verdict, asks)


def make_verifier(
    block: str, *, key_index: str, binding: PinBinding, bank_code: str, account: str
) -> Verifier:
    """
    Return what to keep of the PIN in the block, under today's PIN verification key.

    Raises as `verify` does.
    """
    pin_key = configuration().pin_key
    owner = _owner(bank_code, account)
    return Verifier(
        pin_key,
        _value(block, key_index=key_index, binding=binding, owner=owner, pin_key=pin_key),
    )


def otp_verifier(otp: str, *, bank_code: str, account: str) -> Verifier:
    """
    Return the verifier of an OTP that we minted, so that `verify` judges its block like a PIN's.

    Raises ValueError unless it is 4 to 12 digits; HsmUnavailableError, KeyMissingError,
    KeyUnfitError.
    """
    secret = secret_of(otp, bank_code=bank_code, account=account)
    issuer_key, pin_key = configuration().issuer_key, configuration().pin_key

    def work(session: TokenSession) -> bytes:
        return _wrap_sealed(session, secret, issuer_key=issuer_key, pin_key=pin_key)

    return Verifier(pin_key, _one_way(pool.run(work, operation="otp"), _owner(bank_code, account)))


def is_current(verifier: Verifier) -> bool:
    """Return whether today's key made it; if not, a right PIN is the moment to make a new one."""
    return verifier.key_label == configuration().pin_key


def _verdict(ask: PinAsk) -> PinVerdict:
    try:
        is_right = verify(
            ask.block,
            key_index=ask.key_index,
            binding=ask.binding,
            bank_code=ask.bank_code,
            account=ask.account,
            verifier=ask.verifier,
        )
    except PinBlockMalformedError:
        log.info("pin_block_malformed", txn_id=ask.binding.txn_id)
        return PinVerdict.MALFORMED
    except PinBlockRefusedError:
        log.info("pin_block_refused", txn_id=ask.binding.txn_id, key_index=ask.key_index)
        return PinVerdict.REFUSED
    except HsmError as error:
        log.warning("pin_not_verified", txn_id=ask.binding.txn_id, code=error.code)
        return PinVerdict.UNAVAILABLE
    return PinVerdict.RIGHT if is_right else PinVerdict.WRONG


def _value(block: str, *, key_index: str, binding: PinBinding, owner: bytes, pin_key: str) -> bytes:
    parsed = PinBlock.parse(block)
    if not _KEY_INDEX.fullmatch(key_index):
        raise PinBlockMalformedError("the key index is not eight digits")
    text = binding.text()
    issuer_key = f"issuer-{key_index}"

    def work(session: TokenSession) -> bytes:
        try:
            session.key(issuer_key, keys.ISSUER)
        except KeyMissingError as error:
            raise PinBlockRefusedError("no issuer key has that index") from error
        try:
            return _wrap(session, parsed, text, issuer_key=issuer_key, pin_key=pin_key)
        except PKCS11Error as error:
            # SoftHSM says GeneralError both of a bad block and of its own trouble. So it is asked
            # about a good block: this raises when the token is in trouble, else the block is bad.
            session.is_spent = True
            _wrap_sealed(session, bytes(SECRET_BYTES), issuer_key=issuer_key, pin_key=pin_key)
            raise PinBlockRefusedError("the block cannot be opened") from error

    return _one_way(pool.run(work, operation="pin"), owner)


def _owner(bank_code: str, account: str) -> bytes:
    return f"{bank_code}|{account}".encode()


def _one_way(wrapped: bytes, owner: bytes) -> bytes:
    # Hashed, what is kept cannot be unwrapped by anybody, and is of no use beside another account.
    return hashlib.sha256(wrapped + owner).digest()


def _wrap_sealed(session: TokenSession, secret: bytes, *, issuer_key: str, pin_key: str) -> bytes:
    text = PinBinding("", "", "", "", "", "").text()
    block = seal(
        secret,
        key=keys.rsa_public_key(session.key(issuer_key, keys.ISSUER)),
        oaep=configuration().profile.oaep(),
        binding=text,
    )
    return _wrap(session, block, text, issuer_key=issuer_key, pin_key=pin_key)


def _wrap(
    session: TokenSession, block: PinBlock, text: bytes, *, issuer_key: str, pin_key: str
) -> bytes:
    """Return S under the PIN verification key. Raises PinBlockRefusedError, PKCS11Error."""
    wrapping_key = session.key(pin_key, keys.PIN_VERIFICATION)
    with _opened(session.key(issuer_key, keys.ISSUER), block, text) as secret:
        wrapped: bytes = wrapping_key.wrap_key(secret, mechanism=configuration().profile.key_wrap)
        return wrapped


@contextmanager
def _opened(issuer_key: Any, block: PinBlock, text: bytes) -> Iterator[Any]:
    """Give S as an object of the token, while the context lasts."""
    profile = configuration().profile
    transport_key = issuer_key.unwrap_key(
        ObjectClass.SECRET_KEY,
        KeyType.AES,
        block.transport_key,
        mechanism=Mechanism.RSA_PKCS_OAEP,
        mechanism_param=profile.oaep_parameters(),
        capabilities=MechanismFlag.UNWRAP | MechanismFlag.VERIFY,
        template={**_SESSION_OBJECT, Attribute.EXTRACTABLE: False, **_FROZEN},
    )
    try:
        if not transport_key.verify(text, block.mac, mechanism=profile.block_mac):
            raise PinBlockRefusedError("the block is bound to other content")
        secret = transport_key.unwrap_key(
            ObjectClass.SECRET_KEY,
            KeyType.GENERIC_SECRET,
            block.secret,
            mechanism=profile.key_wrap,
            capabilities=MechanismFlag(0),
            template={
                **_SESSION_OBJECT,
                # It must come out once, wrapped; nothing else may be done with it.
                Attribute.EXTRACTABLE: True,
                Attribute.WRAP_WITH_TRUSTED: profile.marks_private_keys_trusted,
                **_FROZEN,
            },
        )
        try:
            yield secret
        finally:
            secret.destroy()
    finally:
        transport_key.destroy()
