"""Signatures of links, against vectors and keys made by another library."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from apps.upi.links import uri
from apps.upi.links.signature import SignatureStatus, SignerKeys, is_by, judge, read_key

VECTORS = json.loads((Path(__file__).parent / "vectors" / "signed.json").read_text())
LINK = VECTORS["link"]
BITS = 2048


def keys(*names):
    return [load_pem_public_key(VECTORS[name]["public_pem"].encode()) for name in names]


def signed(name, *, link=LINK, tail=""):
    return uri.with_signature(link, base64.b64decode(VECTORS[name]["signature"])) + tail


def status_of(text, known, others=(), *, signer="000000"):
    def keys_for(orgid, address):
        assert str(address) == "store1@exbank"
        return SignerKeys(known, others) if orgid == signer else None

    return judge(uri.read(text), keys_for, rsa_bits_min=BITS)


@pytest.mark.parametrize("name", ["rsa", "ecdsa"])
def test_a_vectors_signature_is_verified(name):
    assert status_of(signed(name), keys(name)) is SignatureStatus.VERIFIED
    assert status_of(signed(name), keys("rsa", "ecdsa")) is SignatureStatus.VERIFIED


@pytest.mark.parametrize("name", ["rsa", "ecdsa"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("am=149.50", "am=149.51"),
        ("am=149.50", "am=149.5"),
        ("tr=ORD20251122000002", "tr=ORD20251122000003"),
        ("pn=Example%20Store", "pn=%45xample%20Store"),
        ("mode=16&purpose=00", "purpose=00&mode=16"),
        ("&qrMedium=03", ""),
    ],
)
def test_whatever_is_changed_behind_the_signature_is_found(name, before, after):
    """Q02, Q03, Q12: the exact text counts, and not only what it means."""
    assert before in LINK
    text = signed(name, link=LINK.replace(before, after))

    assert status_of(text, keys(name)) is SignatureStatus.BAD


def test_the_key_of_another_proves_nothing():
    """Q04."""
    assert status_of(signed("rsa"), keys("ecdsa")) is SignatureStatus.BAD
    assert status_of(signed("ecdsa"), keys("rsa")) is SignatureStatus.BAD
    assert status_of(signed("rsa"), []) is SignatureStatus.BAD


@pytest.mark.parametrize("name", ["rsa", "ecdsa"])
def test_a_key_that_does_not_count_now_is_told_from_a_false_signature(name):
    changed = signed(name, link=LINK.replace("am=149.50", "am=149.51"))

    assert status_of(signed(name), [], keys(name)) is SignatureStatus.KEY_NOT_VALID
    assert status_of(signed(name), keys(name), keys(name)) is SignatureStatus.VERIFIED
    assert status_of(changed, [], keys(name)) is SignatureStatus.BAD


@pytest.mark.parametrize(
    "value",
    [
        "",
        "not base64",
        "bm8ga2V5",
        base64.b64encode(
            ed25519.Ed25519PrivateKey.generate()
            .public_key()
            .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        ).decode(),
    ],
    ids=["nothing", "no base64", "no DER", "of another kind"],
)
def test_what_is_no_key_for_links_is_not_read(value):
    with pytest.raises(ValueError, match=r"."):
        read_key(value)


def test_nobody_known_and_nothing_signed_are_told_apart():
    assert status_of(signed("rsa"), keys("rsa"), signer="900001") is SignatureStatus.UNKNOWN_SIGNER
    assert status_of(LINK, keys("rsa")) is SignatureStatus.UNSIGNED


def test_a_short_rsa_key_proves_something_only_where_it_is_allowed():
    key = rsa.generate_private_key(65537, 1024)
    signature = key.sign(b"text", padding.PKCS1v15(), hashes.SHA256())

    assert not is_by(key.public_key(), signature, b"text", rsa_bits_min=2048)
    assert is_by(key.public_key(), signature, b"text", rsa_bits_min=1024)


def test_another_curve_proves_nothing():
    key = ec.generate_private_key(ec.SECP384R1())
    signature = key.sign(b"text", ec.ECDSA(hashes.SHA256()))

    assert not is_by(key.public_key(), signature, b"text", rsa_bits_min=2048)


def test_a_signature_of_no_form_is_no_signature():
    for key in keys("rsa", "ecdsa"):
        for signature in (b"", b"\0", b"\x30\x06\x02\x01\x00\x02\x01\x00", b"\xff" * 300):
            assert not is_by(key, signature, LINK.encode(), rsa_bits_min=BITS)
