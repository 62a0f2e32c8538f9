"""Signatures of payment links, by RSA or ECDSA keys that do nothing else and cannot leave."""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11 import Attribute, KeyType, ObjectClass

from hsm import keys
from hsm.configuration import configuration
from hsm.errors import KeyMissingError, KeyUnfitError
from hsm.keys import KeyKind
from hsm.sessions import TokenSession, pool

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_KINDS = frozenset({keys.URI_RSA, keys.URI_EC})
_PROBE = b"which public key is this one's?"


def sign(label: str, data: bytes) -> bytes:
    """
    Return the signature over SHA-256 of `data`: PKCS#1 v1.5, or ECDSA on P-256 in DER form.

    The label says which. Raises HsmUnavailableError, KeyMissingError, KeyUnfitError.
    """
    kind = _kind_of(label)
    return pool.run(lambda session: _sign(session, label, kind, data), operation="sign_uri")


def public_key(label: str, *, is_audited: bool = True) -> PublicKey:
    """
    Return the public half of a key.

    An RSA key states it itself. An EC key cannot, so the public object of its label is asked, which
    whoever can log in could replace: it is believed when it verifies a signature made here and now.
    Only the check of the keys asks a token that has not passed its audit.
    Raises HsmUnavailableError, KeyMissingError, KeyUnfitError.
    """
    kind = _kind_of(label)

    def work(session: TokenSession) -> PublicKey:
        if kind.key_type is KeyType.RSA:
            return keys.rsa_public_key(session.key(label, kind))
        return _proved(session, label)

    return pool.run(work, operation="public_key", is_audited=is_audited)


def _kind_of(label: str) -> KeyKind:
    kind = keys.kind_of(label)
    if kind is None or kind not in _KINDS:
        raise KeyMissingError(label)
    return kind


def _sign(session: TokenSession, label: str, kind: KeyKind, data: bytes) -> bytes:
    key, profile = session.key(label, kind), configuration().profile
    if kind.key_type is KeyType.RSA:
        signature: bytes = key.sign(data, mechanism=profile.signature)
        return signature
    pair = key.sign(hashlib.sha256(data).digest(), mechanism=profile.digest_signature)
    half = len(pair) // 2
    return encode_dss_signature(
        int.from_bytes(pair[:half], "big"), int.from_bytes(pair[half:], "big")
    )


def _proved(session: TokenSession, label: str) -> ec.EllipticCurvePublicKey:
    signature = _sign(session, label, keys.URI_EC, _PROBE)
    wanted = {Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.LABEL: label}
    for found in list(session.raw.get_objects(wanted)):
        public = keys.ec_public_key(keys.attributes_of(found))
        if public is not None and _verifies(public, signature):
            return public
    raise KeyUnfitError(f"{label}: no public key is that of the private key")


def _verifies(public: ec.EllipticCurvePublicKey, signature: bytes) -> bool:
    try:
        public.verify(signature, _PROBE, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
