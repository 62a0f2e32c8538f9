"""Three signers agree, and whatever is not of the one profile is refused."""

import base64
import hashlib

import pytest
import signxml
import xmlsec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import settings
from lxml import etree

from apps.upi import gate, signature, xml
from apps.upi.errors import SignatureRefusedError
from hsm import signing
from tests.upi import wire

DSIG = f"{{{wire.DSIG}}}"
NAMES = wire.unsigned_vectors()


@pytest.fixture(scope="module")
def key():
    return wire.new_key()


@pytest.fixture(scope="module")
def golden_key():
    return load_pem_public_key((wire.VECTORS / "test_public_key.pem").read_bytes())


def canonical(name: str) -> bytes:
    return etree.tostring(etree.fromstring(wire.vector(name)), method="c14n")


def own_key():
    return signing.public_key(settings.HSM_SIGNING_KEY)


def verify_by_xmlsec(body: bytes, public_key) -> None:
    node = xmlsec.tree.find_node(etree.fromstring(body), xmlsec.Node.SIGNATURE)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(wire.public_pem(public_key), xmlsec.KeyFormat.PEM)
    context.verify(node)


def verify_by_signxml(body: bytes) -> bytes:
    verifier = signxml.XMLVerifier()
    verifier.excise_empty_xmlns_declarations = True
    expected = signxml.SignatureConfiguration(require_x509=False)
    return verifier.verify(body, require_x509=False, expect_config=expected).signed_data


@pytest.mark.parametrize("name", ["01_ReqPay_PAY", "20_RespHbt"])
def test_a_golden_signed_message_verifies(name, golden_key):
    verified = signature.verify(gate.parse(wire.vector(f"{name}.signed")), [golden_key])

    assert verified.body == canonical(name)
    assert verified.signed_info.startswith(f'<SignedInfo xmlns="{wire.DSIG}" xmlns:upi=')


@pytest.mark.parametrize("name", ["01_ReqPay_PAY", "20_RespHbt"])
def test_a_tampered_message_is_refused(name, golden_key):
    with pytest.raises(SignatureRefusedError) as refused:
        signature.verify(gate.parse(wire.vector(f"{name}.tampered")), [golden_key])

    assert refused.value.ack_code == "U15"


@pytest.mark.parametrize("name", NAMES)
def test_what_we_sign_all_three_verify(name):
    body = signature.sign(canonical(name))

    assert signature.verify(gate.parse(body), [own_key()]).body == canonical(name)
    verify_by_xmlsec(body, own_key())
    assert verify_by_signxml(body) == canonical(name)


def test_what_we_sign_in_a_batch_is_what_we_sign_one_by_one():
    bodies = [canonical(name) for name in NAMES]

    assert signature.sign_many(bodies) == [signature.sign(body) for body in bodies]


@pytest.mark.parametrize("name", NAMES)
def test_what_libxmlsec1_signs_we_verify(name, key):
    body = wire.sign(etree.fromstring(wire.vector(name)), key)

    assert signature.verify(gate.parse(body), [key.public_key()]).body == canonical(name)


@pytest.mark.parametrize("name", NAMES)
def test_what_signxml_signs_we_verify(name, key):
    signer = signxml.XMLSigner(c14n_algorithm=signxml.CanonicalizationMethod.CANONICAL_XML_1_0)
    signer.excise_empty_xmlns_declarations = True
    root = signer.sign(
        etree.fromstring(wire.vector(name)),
        key=key,
        always_add_key_value=True,
        exclude_c14n_transform_element=True,
    )

    verified = signature.verify(gate.parse(etree.tostring(root)), [key.public_key()])

    assert verified.body == canonical(name)


def test_a_second_transform_is_refused_even_if_it_changes_nothing(key):
    signer = signxml.XMLSigner(c14n_algorithm=signxml.CanonicalizationMethod.CANONICAL_XML_1_0)
    signer.excise_empty_xmlns_declarations = True
    root = signer.sign(etree.fromstring(wire.vector("19_ReqHbt")), key=key)

    with pytest.raises(SignatureRefusedError):
        signature.verify(gate.parse(etree.tostring(root)), [key.public_key()])


def test_unused_namespaces_of_the_root_are_signed_along_with_it(key):
    root = etree.Element(
        f"{{{wire.UPI}}}RespHbt",
        nsmap={"ns2": wire.UPI, "ns3": "http://npci.org/cm/schema/"},
    )
    root.extend(etree.fromstring(wire.vector("20_RespHbt")))
    body = wire.sign(root, key)

    verified = signature.verify(gate.parse(body), [key.public_key()])

    assert b'xmlns:ns3="http://npci.org/cm/schema/"' in verified.body
    assert 'xmlns:ns3="http://npci.org/cm/schema/"' in verified.signed_info


def test_white_space_behind_the_signature_is_part_of_what_was_signed(key):
    root = etree.fromstring(wire.vector("20_RespHbt"))
    etree.indent(root)
    body = wire.sign(root, key)
    signed = body.replace(b"</Signature></upi:RespHbt>", b"</Signature>\n</upi:RespHbt>")

    with pytest.raises(SignatureRefusedError):
        signature.verify(gate.parse(signed), [key.public_key()])


def test_one_of_several_valid_keys_is_enough(key):
    body = wire.sign(etree.fromstring(wire.vector("19_ReqHbt")), key)

    assert signature.verify(gate.parse(body), [wire.new_key().public_key(), key.public_key()])


def test_the_right_key_in_the_message_does_not_make_another_s_signature_right(key):
    stranger = wire.new_key()
    root = etree.fromstring(wire.sign(etree.fromstring(wire.vector("19_ReqHbt")), stranger))
    element = root.find(f"{DSIG}Signature")
    element.remove(element.find(f"{DSIG}KeyInfo"))
    wire.show_key(element, key.public_key())

    with pytest.raises(SignatureRefusedError, match="not by the key"):
        signature.verify(gate.parse(etree.tostring(root)), [key.public_key()])


def _text(path, text):
    def edit(element):
        element.find(path, {None: wire.DSIG}).text = text

    return edit


def _attribute(path, name, value):
    def edit(element):
        (element.find(path, {None: wire.DSIG}) if path else element).set(name, value)

    return edit


def _child(path, tag, **attributes):
    def edit(element):
        parent = element.find(path, {None: wire.DSIG}) if path else element
        etree.SubElement(parent, f"{DSIG}{tag}", **attributes)

    return edit


def _without(path):
    def edit(element):
        child = element.find(path, {None: wire.DSIG})
        child.getparent().remove(child)

    return edit


def _algorithm(path, value):
    return _attribute(path, "Algorithm", value)


CANONICAL = "SignedInfo/CanonicalizationMethod"
METHOD = "SignedInfo/SignatureMethod"
DIGESTER = "SignedInfo/Reference/DigestMethod"
DIGEST = "SignedInfo/Reference/DigestValue"
REFERENCE = "SignedInfo/Reference"
TRANSFORMS = f"{REFERENCE}/Transforms"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
HMAC = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"


@pytest.mark.parametrize(
    ("_case", "edit"),
    [
        ("exclusive canonical form",     _algorithm(CANONICAL, EXCLUSIVE)),
        ("RSA with SHA-1",               _algorithm(METHOD, f"{wire.DSIG}rsa-sha1")),
        ("DSA with SHA-1",               _algorithm(METHOD, f"{wire.DSIG}dsa-sha1")),
        ("HMAC with SHA-256",            _algorithm(METHOD, HMAC)),
        ("a truncated HMAC",             _child(METHOD, "HMACOutputLength")),
        ("digest by SHA-1",              _algorithm(DIGESTER, f"{wire.DSIG}sha1")),
        ("a reference by id",            _attribute(REFERENCE, "URI", "#body")),
        ("a reference to a site",        _attribute(REFERENCE, "URI", "http://127.0.0.1:9/")),
        ("a reference to a file",        _attribute(REFERENCE, "URI", "file:///etc/passwd")),
        ("a typed reference",            _attribute(REFERENCE, "Type", "x")),
        ("an XPath transform",           _algorithm(f"{TRANSFORMS}/Transform", XPATH)),
        ("an XSLT transform",            _algorithm(f"{TRANSFORMS}/Transform", XSLT)),
        ("a second transform",           _child(TRANSFORMS, "Transform", Algorithm=EXCLUSIVE)),
        ("no transform",                 _without(f"{TRANSFORMS}/Transform")),
        ("no reference",                 _without(REFERENCE)),
        ("a second reference",           _child("SignedInfo", "Reference", URI="")),
        ("an object",                    _child("", "Object")),
        ("an id",                        _attribute("", "Id", "1")),
        ("no key",                       _without("KeyInfo")),
        ("a certificate",                _child("KeyInfo", "X509Data")),
        ("a digest in no base64",        _text(DIGEST, "not base64!")),
        ("other letters",                _text("SignatureValue", "ａｂｃｄ")),
        ("an empty signature",           _text("SignatureValue", "")),
        ("text between the parts",       _text("KeyInfo", "trust me")),
    ],
)  # fmt: skip
def test_a_signature_of_another_profile_is_refused(_case, edit, key):
    root = etree.fromstring(wire.sign(etree.fromstring(wire.vector("19_ReqHbt")), key))
    edit(root.find(f"{DSIG}Signature"))

    with pytest.raises(SignatureRefusedError):
        signature.verify(gate.parse(etree.tostring(root)), [key.public_key()])


def test_a_key_that_is_too_short_is_refused():
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    body = wire.sign(etree.fromstring(wire.vector("19_ReqHbt")), short)

    with pytest.raises(SignatureRefusedError, match="too short"):
        signature.verify(gate.parse(body), [short.public_key()])


def test_the_digest_in_the_log_is_of_the_bytes_that_were_verified(key):
    body = wire.sign(etree.fromstring(wire.vector("05_ReqPay_DEBIT")), key)

    verified = signature.verify(gate.parse(body), [key.public_key()])

    digest = base64.b64encode(hashlib.sha256(verified.body).digest()).decode()
    assert f"<DigestValue>{digest}</DigestValue>" in verified.signed_info


def test_a_signed_document_is_not_written_anew():
    body = canonical("05_ReqPay_DEBIT")

    signed = signature.sign(body)

    assert signed.startswith(body.removesuffix(b"</upi:ReqPay>"))
    assert xml.canonical(xml.parse(signed)) == signed
