"""Signatures of payment links by keys of a real token."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pkcs11 import Attribute, KeyType, MechanismFlag, ObjectClass
from pkcs11.util.ec import encode_named_curve_parameters

from hsm import ceremony, keys, uri_signing
from hsm.errors import HsmUnavailableError, KeyMissingError, KeyUnfitError
from hsm.sessions import pool

EC, RSA = "uri-ec-1", "uri-rsa-1"
DATA = b"upi://pay?pa=store1@exbank"


def writing(work):
    """Do what somebody with the token's login could do."""

    def write(session):
        with session.raw.token.open(rw=True) as writable:
            return work(writable)

    return pool.run(write)


def destroy_public(session, label=EC):
    for found in list(
        session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.LABEL: label})
    ):
        found.destroy()


def plant_public(session, point, *, params=keys.P256):
    session.create_object(
        {
            Attribute.CLASS: ObjectClass.PUBLIC_KEY,
            Attribute.KEY_TYPE: 3,
            Attribute.LABEL: EC,
            Attribute.TOKEN: True,
            Attribute.EC_PARAMS: params,
            Attribute.EC_POINT: point,
        }
    )


def plant_ec(curve="secp256r1", **changes):
    template = {
        Attribute.PRIVATE: True,
        Attribute.SIGN_RECOVER: False,
        Attribute.SENSITIVE: True,
        Attribute.EXTRACTABLE: False,
        Attribute.COPYABLE: False,
        **{Attribute[name]: value for name, value in changes.items()},
        Attribute.MODIFIABLE: False,
    }
    parameters = {Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}
    writing(
        lambda session: session.create_domain_parameters(
            KeyType.EC, parameters, local=True
        ).generate_keypair(
            label="uri-ec-2",
            store=True,
            capabilities=MechanismFlag.SIGN,
            public_template=keys.URI_EC.public_template(),
            private_template=template,
        )
    )


def point_of(key):
    numbers = key.public_key().public_numbers()
    return b"\x04\x41\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def test_an_ecdsa_signature_is_verified_by_another_library(token):
    public = uri_signing.public_key(EC)

    assert isinstance(public, ec.EllipticCurvePublicKey)
    for _ in range(20):  # halves of a signature that begin with zeros or ones are DER too
        public.verify(uri_signing.sign(EC, DATA), DATA, ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        public.verify(uri_signing.sign(EC, DATA), DATA + b"x", ec.ECDSA(hashes.SHA256()))


def test_an_rsa_signature_is_verified_by_another_library(token):
    public = uri_signing.public_key(RSA)

    assert isinstance(public, rsa.RSAPublicKey)
    assert public.key_size == 2048
    public.verify(uri_signing.sign(RSA, DATA), DATA, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("label", ["xml-signing-1", "issuer-20261101", "mac-1", "other", ""])
def test_nothing_but_a_uri_key_signs_links(token, label):
    with pytest.raises(KeyMissingError):
        uri_signing.sign(label, DATA)
    with pytest.raises(KeyMissingError):
        uri_signing.public_key(label)


@pytest.mark.parametrize("label", ["uri-ec-2", "uri-rsa-2"])
def test_a_key_that_is_not_there_is_missing(token, label):
    with pytest.raises(KeyMissingError):
        uri_signing.sign(label, DATA)
    with pytest.raises(KeyMissingError):
        uri_signing.public_key(label)


def test_a_planted_public_key_is_not_believed(token):
    before = uri_signing.public_key(EC)
    other = ec.generate_private_key(ec.SECP256R1())

    writing(lambda session: plant_public(session, point_of(other)))

    assert uri_signing.public_key(EC) == before
    assert ceremony.check_keys() != []


@pytest.mark.parametrize(
    ("_case", "point", "params"),
    [
        ("of another key", point_of(ec.generate_private_key(ec.SECP256R1())), keys.P256),
        ("off the curve", b"\x04\x41\x04" + b"\x01" * 64, keys.P256),
        ("no octet string", b"\x04" + b"\x01" * 64, keys.P256),
        ("another curve", b"\x04\x61\x04" + b"\x01" * 96, bytes.fromhex("06052b81040022")),
    ],
)
def test_a_public_key_that_was_replaced_is_found(token, _case, point, params):
    def replace(session):
        destroy_public(session)
        plant_public(session, point, params=params)

    writing(replace)

    with pytest.raises(KeyUnfitError, match="no public key"):
        uri_signing.public_key(EC)
    assert f"{EC}: the public key is not that of the private key" in ceremony.check_keys()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"curve": "secp384r1"}, "EC_PARAMS is"),
        ({"DERIVE": True}, "DERIVE is True"),
        ({"EXTRACTABLE": True}, "EXTRACTABLE is True"),
    ],
)
def test_a_planted_pair_is_found_and_not_used(token, changes, fault):
    plant_ec(**changes)

    assert any(fault in found for found in ceremony.check_keys())
    with pytest.raises(KeyUnfitError, match=fault):
        uri_signing.sign("uri-ec-2", DATA)


def test_a_token_that_is_away_signs_nothing(token):
    token.remove()

    for label in (EC, RSA):
        with pytest.raises(HsmUnavailableError):
            uri_signing.sign(label, DATA)
        with pytest.raises(HsmUnavailableError):
            uri_signing.public_key(label)
