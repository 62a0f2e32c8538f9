"""Signatures and MACs by keys of a real token."""

import hashlib
import hmac

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from pkcs11 import Attribute, ObjectClass

from hsm import ceremony, mac, signing
from hsm.errors import HsmUnavailableError, KeyMissingError, KeyUnfitError
from hsm.sessions import pool

KEY = "xml-signing-1"


def check(signature, data):
    public = serialization.load_pem_public_key(signing.public_pem(KEY))
    public.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())


def test_a_signature_is_verified_by_another_library(token):
    check(signing.sign(KEY, b"<Ack/>"), b"<Ack/>")

    with pytest.raises(InvalidSignature):
        check(signing.sign(KEY, b"<Ack/>"), b"<Ack />")


def test_an_empty_and_a_large_document_are_signed(token):
    for data in (b"", b"x" * 300_000):
        check(signing.sign(KEY, data), data)


def test_many_documents_are_signed_in_order(token):
    documents = [b"%d" % i for i in range(40)]

    signatures = signing.sign_many(KEY, documents)

    assert len(signatures) == 40
    for signature, data in zip(signatures, documents, strict=True):
        check(signature, data)
    assert signing.sign_many(KEY, []) == []


def test_public_numbers_are_those_of_the_pem(token):
    n, e = signing.public_numbers(KEY)

    pem = signing.public_pem(KEY)
    assert e == 65537
    assert n.bit_length() == 2048
    assert serialization.load_pem_public_key(pem) == rsa.RSAPublicNumbers(e, n).public_key()
    assert pem.startswith(b"-----BEGIN PUBLIC KEY-----\n")


def test_public_numbers_do_not_come_from_a_public_object_that_anybody_could_plant(token):
    before = signing.public_numbers(KEY)

    def plant(session):
        with session.raw.token.open(rw=True) as writing:
            writing.create_object(
                {
                    Attribute.CLASS: ObjectClass.PUBLIC_KEY,
                    Attribute.KEY_TYPE: 0,
                    Attribute.LABEL: KEY,
                    Attribute.TOKEN: True,
                    Attribute.MODULUS: b"\xff" * 256,
                    Attribute.PUBLIC_EXPONENT: b"\x03",
                }
            )

    pool.run(plant)

    assert signing.public_numbers(KEY) == before
    assert ceremony.check_keys() != []


@pytest.mark.parametrize("label", ["mac-1", "pin-verification-1", "other", ""])
def test_only_pairs_have_a_public_half(token, label):
    with pytest.raises(KeyMissingError):
        signing.public_numbers(label)


@pytest.mark.parametrize(
    ("label", "error"),
    [
        ("xml-signing-2", KeyMissingError),
        ("issuer-20261101", KeyUnfitError),
        ("mac-1", KeyUnfitError),
        ("", KeyUnfitError),
    ],
)
def test_nothing_but_a_signing_key_signs(token, label, error):
    with pytest.raises(error):
        signing.sign(label, b"x")
    with pytest.raises(error):
        signing.sign_many(label, [b"x", b"y"])


def test_a_mac_is_the_hmac_of_a_key_that_nobody_has(token):
    code = mac.mac("mac-1", b"key_live_1")

    assert len(code) == 32
    assert code == mac.mac("mac-1", b"key_live_1")
    assert code != mac.mac("mac-1", b"key_live_2")
    with pytest.raises(KeyMissingError):
        mac.mac("mac-2", b"x")


def test_a_mac_is_hmac_sha256(token):
    """Try the mechanism with a key whose value we know."""
    known = bytes(range(32))

    def work(session):
        key = session.raw.create_object(
            {
                Attribute.CLASS: ObjectClass.SECRET_KEY,
                Attribute.KEY_TYPE: 16,
                Attribute.VALUE: known,
                Attribute.SIGN: True,
                Attribute.TOKEN: False,
            }
        )
        try:
            return key.sign(b"data", mechanism=mac.configuration().profile.mac)
        finally:
            key.destroy()

    assert pool.run(work) == hmac.digest(known, b"data", hashlib.sha256)


def test_a_token_that_is_away_signs_nothing(token):
    token.remove()

    with pytest.raises(HsmUnavailableError):
        signing.sign(KEY, b"x")
    with pytest.raises(HsmUnavailableError):
        mac.mac("mac-1", b"x")
