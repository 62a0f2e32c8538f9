"""Signatures: the golden messages verify, changed ones do not, other libraries agree."""

import shutil
import subprocess
from pathlib import Path

import pytest
import xmlsec
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from signxml import DigestAlgorithm, SignatureConfiguration, SignatureMethod, XMLVerifier

from sandbox import codec, signature
from tests.sandbox.bank import DS, Signer

VECTORS = Path(__file__).with_name("vectors")
OTHER = Signer()
OWN = Signer()
OWN_PEM = OWN.key.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)
SIGNER, VERIFIER = signature.Signer(OWN_PEM), signature.Verifier(OWN.pem())
PINNED = signature.Verifier((VECTORS / "test_public_key.pem").read_bytes())


def vector(name: str) -> bytes:
    return (VECTORS / name).read_bytes()


def message(note: str = "lunch") -> bytes:
    transaction = codec.element("Txn", {"id": "EXB1", "note": note})
    return codec.canonical(codec.message("ReqHbt", codec.head("NPCI", "NPC1"), transaction))


@pytest.mark.parametrize("name", ["01_ReqPay_PAY.signed.xml", "20_RespHbt.signed.xml"])
def test_a_golden_message_verifies(name):
    PINNED.verify(codec.parse(vector(name)))


@pytest.mark.parametrize("name", ["01_ReqPay_PAY.tampered.xml", "20_RespHbt.tampered.xml"])
def test_a_tampered_message_does_not_verify(name):
    with pytest.raises(signature.SignatureError):
        PINNED.verify(codec.parse(vector(name)))


def test_another_key_does_not_verify_even_with_itself_inside():
    signed = OTHER.sign(etree.fromstring(message()))

    with pytest.raises(signature.SignatureError, match="not the pinned one"):
        VERIFIER.verify(codec.parse(signed))


@given(
    note=st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn"]), max_size=50)
)
def test_what_is_signed_verifies_and_is_read_back(note):
    signed = SIGNER.sign(message(note))

    VERIFIER.verify(codec.parse(signed))

    assert codec.parse(signed).find("Txn").get("note") == note


def test_an_independent_signer_is_verified():
    VERIFIER.verify(codec.parse(OWN.sign(etree.fromstring(message("a & b")))))


def test_a_signature_with_prefixes_and_lines_verifies_too():
    root = etree.fromstring(message("a & b"))
    made = xmlsec.template.create(root, xmlsec.Transform.C14N, xmlsec.Transform.RSA_SHA256, ns="ds")
    root.append(made)
    reference = xmlsec.template.add_reference(made, xmlsec.Transform.SHA256, uri="")
    xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    key_value = xmlsec.template.add_key_value(xmlsec.template.ensure_key_info(made))
    key_value.append(etree.fromstring(SIGNER.sign(message())).find(f".//{{{DS}}}RSAKeyValue"))
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(OWN_PEM, xmlsec.constants.KeyDataFormatPem)
    context.sign(made)
    signed = etree.tostring(root)

    VERIFIER.verify(codec.parse(signed))

    with pytest.raises(signature.SignatureError, match="does not fit"):
        VERIFIER.verify(codec.parse(signed.replace(b"a &amp; b", b"a &amp; c")))


def test_signxml_agrees():
    verifier = XMLVerifier()
    verifier.excise_empty_xmlns_declarations = True
    settings = SignatureConfiguration(
        require_x509=False,
        signature_methods=frozenset({SignatureMethod.RSA_SHA256}),
        digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
    )

    verifier.verify(etree.fromstring(SIGNER.sign(message("a < b"))), expect_config=settings)


@pytest.mark.skipif(shutil.which("xmlsec1") is None, reason="the program xmlsec1 is not installed")
def test_xmlsec1_agrees(tmp_path):
    (tmp_path / "key.pem").write_bytes(OWN.pem())
    (tmp_path / "message.xml").write_bytes(SIGNER.sign(message()))

    ended = subprocess.run(
        ["xmlsec1", "--verify", "--pubkey-pem", "key.pem", "message.xml"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr


def replace(old: str, new: str):
    return lambda body: body.replace(old.encode(), new.encode(), 1)


def wrapped(body: bytes) -> bytes:
    """Move the signed message into a part of another one, and keep its signature on top."""
    root = etree.fromstring(body)
    made = root.find(f"{{{DS}}}Signature")
    outer = codec.message("ReqHbt", codec.head("NPCI", "NPC2"))
    outer.extend([root, made])
    return etree.tostring(outer)


def doubled(body: bytes) -> bytes:
    root = etree.fromstring(body)
    root.insert(0, etree.fromstring(etree.tostring(root.find(f"{{{DS}}}Signature"))))
    return etree.tostring(root)


def first(body: bytes) -> bytes:
    root = etree.fromstring(body)
    root.insert(0, root.find(f"{{{DS}}}Signature"))
    return etree.tostring(root)


def unsigned(body: bytes) -> bytes:
    root = etree.fromstring(body)
    root.remove(root.find(f"{{{DS}}}Signature"))
    return etree.tostring(root)


SPOILED = [
    ("no signature",        unsigned),
    ("two signatures",      doubled),
    ("signature first",     first),
    ("wrapped",             wrapped),
    ("reference to a part", replace('URI=""', 'URI="#a"')),
    ("no reference",        replace('<Reference URI="">', "<Reference>")),
    ("HMAC",                replace("04/xmldsig-more#rsa-sha256", "09/xmldsig#hmac-sha1")),
    ("SHA-1",               replace("2001/04/xmlenc#sha256", "2000/09/xmldsig#sha1")),
    ("exclusive C14N",      replace("TR/2001/REC-xml-c14n-20010315", "2001/10/xml-exc-c14n#")),
    ("another transform",   replace("xmldsig#enveloped-signature", "xmldsig#base64")),
    ("no key",              lambda body: body.replace(b"KeyValue", b"KeyName")),
    ("changed value",       replace("<SignatureValue>", "<SignatureValue>AAAA")),
    ("another exponent",    replace("AQAB", "AQAC")),
    ("key not base64",      replace("AQAB", "????")),
    ("an object inside",    replace("</KeyInfo>", "</KeyInfo><Object/>")),
]  # fmt: skip


@pytest.mark.parametrize(("_case", "spoil"), SPOILED)
def test_a_signature_outside_the_profile_is_refused(_case, spoil):
    signed = SIGNER.sign(message())
    spoiled = spoil(signed)
    assert spoiled != signed

    with pytest.raises(signature.SignatureError):
        VERIFIER.verify(codec.parse(spoiled))
