"""
Exchange keys with core banking's host through a folder, once: its MAC key comes in wrapped.

The host makes the key and wraps it for our transport key by RSA-OAEP (hash and mask of the module's
profile); it is unwrapped in the token and was never in our memory.
"""

import time
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass, Session
from pkcs11.exceptions import PKCS11Error

from hsm import keys, mac, signing
from hsm.ceremony import alone_on_this_machine, create_key
from hsm.configuration import configuration
from hsm.errors import KeyUnfitError, WrappedKeyRefusedError
from hsm.sessions import TokenSession, pool

log = structlog.get_logger(__name__)

_POLL_SECONDS = 0.2
_WRAPPED_BYTES = keys.RSA_BITS // 8
_KEY_BYTES = keys.SECRET_BITS // 8
# RFC 3394: a wrapped key is eight bytes longer than the key.
_WRAP_EXTRA_BYTES = 8
# Of session objects that are gone before anything is kept.
_PASSING = {Attribute.PRIVATE: True, Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
_MEASURABLE = {Attribute.EXTRACTABLE: True}


def exchange() -> bool:
    """
    Make and show our transport key, and take in the host's MAC key if its file is there.

    Safe to repeat. Return whether the MAC key is in the token. Raises WrappedKeyRefusedError,
    KeyUnfitError, HsmUnavailableError.
    """
    transport_key = configuration().host_transport_key
    create_key(transport_key)
    show_transport_key(transport_key, transport_key_file())
    file = wrapped_mac_key_file()
    if not file.exists():
        return False
    import_mac_key(configuration().host_mac_key, file.read_bytes())
    return True


def transport_key_file() -> Path:
    """Return where the host looks for our public transport key, a PEM file."""
    return _file_for("host-transport.pem")


def wrapped_mac_key_file() -> Path:
    """Return where the host puts its MAC key: RSA-OAEP for our transport key, 256 bytes."""
    return _file_for("host-mac.wrapped")


def show_transport_key(label: str, file: Path) -> None:
    """Write the public half. Raises KeyMissingError, KeyUnfitError, HsmUnavailableError."""
    pem = signing.public_pem(label)
    file.parent.mkdir(parents=True, exist_ok=True)
    # In one step, so that the host never reads half a key.
    half = file.with_suffix(".part")
    half.write_bytes(pem)
    half.replace(file)


def appears(file: Path, *, seconds: float) -> bool:
    """Wait for a file of the host and return whether it is there."""
    for _ in range(int(seconds / _POLL_SECONDS)):
        if file.exists():
            return True
        time.sleep(_POLL_SECONDS)
    return file.exists()


def import_mac_key(label: str, wrapped: bytes, *, transport_key: str | None = None) -> bool:
    """
    Unwrap the host's MAC key into the token; return False if a key of that label is there already.

    Raises WrappedKeyRefusedError when it cannot be opened with our transport key or holds no key
    of 256 bits, KeyUnfitError, KeyMissingError, HsmUnavailableError.
    """
    if not keys.HOST_MAC.label.fullmatch(label):
        raise KeyUnfitError(f"{label}: no {keys.HOST_MAC.name} key has such a label")
    if len(wrapped) != _WRAPPED_BYTES:
        raise WrappedKeyRefusedError(f"what was wrapped for us has {_WRAPPED_BYTES} bytes")
    opened_by = transport_key or configuration().host_transport_key
    with alone_on_this_machine():
        made = pool.run(lambda session: _import(session, label, wrapped, opened_by))
    if made:
        log.info("hsm_key_imported", label=label, transport_key=opened_by)
    return made


def check_value(label: str) -> str:
    """
    Return what both sides compare by eye: five bytes of the CMAC over a block of zeros.

    ANSI X9.24-1-2017, annex A. Raises KeyMissingError, KeyUnfitError, HsmUnavailableError.
    """
    return mac.cmacs(label, [bytes(16)])[0][:5].hex()


def _file_for(use: str) -> Path:
    return Path(settings.KEYS_DIRECTORY) / f"{settings.UPI_ORG_ID}.{use}"


def _import(session: TokenSession, label: str, wrapped: bytes, transport_key: str) -> bool:
    session.require_login()
    wanted = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.LABEL: label}
    if list(session.raw.get_objects(wanted)):
        session.key(label, keys.HOST_MAC)
        return False
    # A session of its own, which takes along whatever a failure leaves behind.
    with session.raw.token.open(rw=True) as writing:
        own = TokenSession(writing).key(transport_key, keys.HOST_TRANSPORT)
        _try_out(writing, own, wrapped)
        _unwrap(own, wrapped, keys.HOST_MAC.template(), label)
    session.key(label, keys.HOST_MAC)
    return True


def _try_out(session: Session, own: Any, wrapped: bytes) -> None:
    """Open it for this session only. Raises WrappedKeyRefusedError, PKCS11Error."""
    try:
        tried = _unwrap(own, wrapped, {**keys.HOST_MAC.template(), **_MEASURABLE})
    except PKCS11Error as error:
        # SoftHSM says GeneralError of its own trouble too: then it cannot open a good one either.
        padding = configuration().profile.oaep()
        good = keys.rsa_public_key(own).encrypt(bytes(_KEY_BYTES), padding)
        _unwrap(own, good, keys.HOST_MAC.template()).destroy()
        raise WrappedKeyRefusedError("it cannot be opened with our transport key") from error
    try:
        if not _is_whole(session, tried):
            raise WrappedKeyRefusedError(f"the key in it does not have {keys.SECRET_BITS} bits")
    finally:
        tried.destroy()


def _is_whole(session: Session, tried: Any) -> bool:
    """Measure it by what it is wrapped, for not every module says how long an unwrapped key is."""
    measure: Any = session.generate_key(
        KeyType.AES, keys.SECRET_BITS, capabilities=MechanismFlag.WRAP, template=_PASSING
    )
    profile = configuration().profile
    try:
        # SoftHSM wraps lengths too that no AES key has; it makes no code with such a key.
        tried.sign(bytes(16), mechanism=profile.block_mac)
        outside = measure.wrap_key(tried, mechanism=profile.key_wrap)
    except PKCS11Error:
        return False
    finally:
        measure.destroy()
    return len(outside) == _KEY_BYTES + _WRAP_EXTRA_BYTES


def _unwrap(
    own: Any, wrapped: bytes, template: dict[Attribute, Any], label: str | None = None
) -> Any:
    """Open it: for this session, or with a label for good."""
    return own.unwrap_key(
        ObjectClass.SECRET_KEY,
        keys.HOST_MAC.key_type,
        wrapped,
        mechanism=Mechanism.RSA_PKCS_OAEP,
        mechanism_param=configuration().profile.oaep_parameters(),
        label=label,
        store=label is not None,
        capabilities=keys.HOST_MAC.flags,
        template=template,
    )
