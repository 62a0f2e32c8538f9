"""Make the token and its keys, list them, and judge every one; for people and for first starts."""

import fcntl
import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from cryptography.hazmat.primitives import serialization
from pkcs11 import Attribute, KeyType, ObjectClass, Session, Slot, TokenFlag
from pkcs11.exceptions import PKCS11Error

from hsm import audit, keys, uri_signing
from hsm.configuration import configuration
from hsm.errors import HsmUnavailableError, KeyInUseError, KeyMissingError, KeyUnfitError
from hsm.keys import KeyKind, kind_of
from hsm.library import Library
from hsm.sessions import TokenSession, pool

log = structlog.get_logger(__name__)

LOCK_TRIES_MAX = 300
LOCK_PAUSE_SECONDS = 0.1
# PKCS #11 v2.40, section 3.2: a longer label would be cut, and the token never found again.
TOKEN_LABEL_BYTES = range(1, 33)


@dataclass(frozen=True, slots=True)
class KeyListing:
    """What may be shown of a key: never its material."""

    label: str
    kind: str
    object_class: str
    uses: tuple[str, ...]
    # Three bytes of a known block encrypted, or the SHA-256 of the public key: to compare by eye.
    # A private EC key has none: it does not state its public half, which is listed beside it.
    check_value: str
    attributes: tuple[str, ...]


def init_token() -> bool:
    """
    Make our token and set its PINs; return False if it is there already.

    Safe to repeat, after a kill in its midst too, and safe when two processes do it at once.
    Raises HsmUnavailableError.
    """
    if len(configuration().token_label.encode()) not in TOKEN_LABEL_BYTES:
        raise HsmUnavailableError("the label of a token has 1 to 32 bytes")
    with alone_on_this_machine():
        try:
            return pool.run_alone(_init_token)
        except (PKCS11Error, OSError) as error:
            raise HsmUnavailableError(str(error) or type(error).__name__) from error


def create_key(label: str) -> bool:
    """
    Make the key that such a label stands for; return False if it is there already.

    Raises KeyUnfitError when no kind of ours has such a label or the key there does not fit;
    HsmUnavailableError.
    """
    kind = kind_of(label)
    if kind is None:
        raise KeyUnfitError(f"{label}: no kind of key has such a label")
    if kind.comes_wrapped:
        raise KeyUnfitError(f"{label}: its other holder makes it, and it is imported")
    with alone_on_this_machine():
        made = pool.run(lambda session: _create_key(session, label, kind), is_audited=False)
    if made:
        log.info("hsm_key_created", label=label, kind=kind.name)
    return made


def destroy_key(label: str) -> bool:
    """
    End a key for good, both halves; return False if it is not there.

    Raises KeyInUseError when the settings name it, HsmUnavailableError.
    """
    require_unused(label)
    with alone_on_this_machine():
        ended = pool.run(lambda session: _destroy_key(session, label), is_audited=False)
    if ended:
        log.info("hsm_key_destroyed", label=label)
    return ended


def require_unused(label: str) -> None:
    """Raise KeyInUseError when the settings name the key."""
    if label in configuration().named_labels:
        raise KeyInUseError(f"{label}: the settings name it")


def holds(label: str) -> bool:
    """
    Say whether the token has anything of a label, fit or not, ours or not.

    Raises HsmUnavailableError.
    """

    def work(session: TokenSession) -> bool:
        session.require_login()
        return bool(_of_label(session.raw, label))

    return pool.run(work, is_audited=False)


def list_keys() -> list[KeyListing]:
    """Return every key object of the token, by label. Raises HsmUnavailableError."""
    return sorted(
        (_listing(found) for found in _all_attributes()),
        key=lambda one: (one.label, one.object_class),
    )


def check_keys() -> list[str]:
    """
    Return what is wrong with the keys of the token; nothing if every one fits and none is missing.

    Raises HsmUnavailableError.
    """
    found = _all_attributes()
    absent = audit.missing(found, configuration().needed_labels)
    faults = [f"{label}: missing" for label in absent] + audit.key_faults(found)
    public = [one for one in found if one[Attribute.CLASS] == ObjectClass.PUBLIC_KEY]
    faults += audit.twins(public)
    for attributes in public:
        label = attributes[Attribute.LABEL]
        faults += [f"{label}: {fault}" for fault in _public_faults(attributes, found)]
    return sorted(faults)


def missing_keys() -> list[str]:
    """
    Return which keys that the bank needs are not in the token.

    Raises TokenUnfitError when one of its keys is wrong, HsmUnavailableError.
    """

    def work(session: TokenSession) -> list[str]:
        # Found and judged once a session, then remembered: the token is asked for little.
        return [label for label in configuration().needed_labels if not _is_there(session, label)]

    return pool.run(work)


def _is_there(session: TokenSession, label: str) -> bool:
    kind = kind_of(label)
    try:
        return kind is not None and session.key(label, kind) is not None
    except KeyMissingError:
        return False


def _public_faults(
    attributes: dict[Attribute, Any], found: list[dict[Attribute, Any]]
) -> list[str]:
    kind = kind_of(attributes[Attribute.LABEL])
    if kind is None:
        return ["not a key of ours"]
    faults = kind.public_faults(attributes)
    if not _is_half_of_a_pair(attributes, kind, found):
        faults.append("the public key is not that of the private key")
    return faults


def _is_half_of_a_pair(
    attributes: dict[Attribute, Any], kind: KeyKind, found: list[dict[Attribute, Any]]
) -> bool:
    label = attributes[Attribute.LABEL]
    if kind is keys.URI_EC:
        try:
            proved = uri_signing.public_key(label, is_audited=False)
        except (KeyMissingError, KeyUnfitError):
            return False
        return keys.ec_public_key(attributes) == proved
    private = [
        one.get(Attribute.MODULUS)
        for one in found
        if one[Attribute.LABEL] == label and one[Attribute.CLASS] == ObjectClass.PRIVATE_KEY
    ]
    return attributes.get(Attribute.MODULUS) in private


def _all_attributes() -> list[dict[Attribute, Any]]:
    return pool.run(lambda session: session.key_attributes(), is_audited=False)


def _listing(attributes: dict[Attribute, Any]) -> KeyListing:
    kind = kind_of(attributes[Attribute.LABEL])
    return KeyListing(
        label=attributes[Attribute.LABEL],
        kind=kind.name if kind else "unknown",
        object_class=ObjectClass(attributes[Attribute.CLASS]).name,
        uses=tuple(use.name for use in keys.USES if attributes.get(use)),
        check_value=_check_value(attributes),
        attributes=tuple(
            one.name if attributes[one] else f"not {one.name}"
            for one in keys.PROTECTIONS
            if one in attributes
        ),
    )


def _check_value(attributes: dict[Attribute, Any]) -> str:
    public: uri_signing.PublicKey | None
    if attributes.get(Attribute.KEY_TYPE) == KeyType.RSA:
        public = keys.rsa_public_key(attributes)
    else:
        public = keys.ec_public_key(attributes)
    if public is None:
        value: bytes = attributes.get(Attribute.CHECK_VALUE, b"")
        return value.hex()
    written = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(written).hexdigest()


def _create_key(session: TokenSession, label: str, kind: KeyKind) -> bool:
    """Make the key if it is not there. The caller keeps others from doing the same."""
    session.require_login()
    wanted = {Attribute.CLASS: kind.object_class, Attribute.LABEL: label}
    is_missing = not list(session.raw.get_objects(wanted))
    if is_missing:
        with session.raw.token.open(rw=True) as writing:
            # A process that was killed can leave a public half without its private one.
            for left_over in list(writing.get_objects({Attribute.LABEL: label})):
                left_over.destroy()
            _generate(writing, label, kind)
    session.key(label, kind)
    return is_missing


def _destroy_key(session: TokenSession, label: str) -> bool:
    session.require_login()
    with session.raw.token.open(rw=True) as writing:
        found = _of_label(writing, label)
        for one in found:
            one.destroy()
    return bool(found)


def _of_label(session: Session, label: str) -> list[Any]:
    return list(session.get_objects({Attribute.LABEL: label, Attribute.TOKEN: True}))


def _generate(writing: Session, label: str, kind: KeyKind) -> None:
    if kind.key_type is KeyType.RSA:
        writing.generate_keypair(
            KeyType.RSA,
            keys.RSA_BITS,
            label=label,
            store=True,
            capabilities=kind.flags,
            public_template=kind.public_template(),
            private_template=kind.template(),
        )
    elif kind.key_type is KeyType.EC:
        writing.create_domain_parameters(
            KeyType.EC, {Attribute.EC_PARAMS: keys.P256}, local=True
        ).generate_keypair(
            label=label,
            store=True,
            capabilities=kind.flags,
            public_template=kind.public_template(),
            private_template=kind.template(),
        )
    else:
        writing.generate_key(
            kind.key_type,
            keys.SECRET_BITS,
            label=label,
            store=True,
            capabilities=kind.flags,
            template=kind.template(),
        )


def _init_token(library: Library) -> bool:
    label, so_pin = configuration().token_label, configuration().so_pin
    slot = next((s for s in library.get_slots() if _label(s) == label), None)
    if slot is None:
        slot = _empty_slot(library.get_slots())
        library.init_token(slot_id=slot.slot_id, label=label, so_pin=so_pin)
    elif _flags(slot) & TokenFlag.USER_PIN_INITIALIZED:
        return False
    with slot.get_token().open(rw=True, so_pin=so_pin) as officer:
        officer.init_pin(configuration().user_pin)
    log.info("hsm_token_initialised", label=label)
    return True


def _empty_slot(slots: Sequence[Slot]) -> Slot:
    for slot in slots:
        if not _flags(slot) & TokenFlag.TOKEN_INITIALIZED:
            return slot
    raise HsmUnavailableError("no slot of the module is empty")


def _flags(slot: Slot) -> TokenFlag:
    return slot.get_token().flags


def _label(slot: Slot) -> str:
    return slot.get_token().label


@contextmanager
def alone_on_this_machine() -> Iterator[None]:
    """
    Keep other processes from making the same thing; the module's own file is the lock.

    Several machines on one network token are for the people of a key ceremony to keep apart.
    """
    try:
        module = configuration().module.open("rb")
    except OSError as error:
        raise HsmUnavailableError(str(error)) from error
    with module:
        for _ in range(LOCK_TRIES_MAX):
            try:
                fcntl.flock(module, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(LOCK_PAUSE_SECONDS)
            else:
                break
        else:
            raise HsmUnavailableError("another process has been making keys for long")
        yield
