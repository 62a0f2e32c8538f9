"""
Messages whose signature is missing, broken, or about something else: X01 to X11, with the real
database.

Each is answered with HTTP 200 and a negative Ack, and leaves one row in the log and one security
event: nothing else is written.
"""

import base64
import datetime as dt
import socket

import pytest
import xmlsec
from cryptography.hazmat.primitives import hashes, hmac
from lxml import etree

from apps.common import clock
from apps.upi.models import PeerKey
from tests.upi import wire
from tests.upi.conftest import Door
from tests.upi.refusal import CHECKSUM, FORM, INTEGRITY, post, refused, signed

DSIG = f"{{{wire.DSIG}}}"


def signature_of(root: etree._Element) -> etree._Element:
    return root.find(f"{DSIG}Signature")


def test_x01_a_message_that_is_not_signed(door, changes):
    answered = door.post(etree.tostring(wire.fresh("DEBIT")))

    refused(answered, changes, FORM)


def test_x02_one_byte_of_the_body_is_another(door, changes):
    body = wire.sign(wire.fresh("DEBIT"), door.key)

    answered = door.post(body.replace(b'value="149.50"', b'value="149.51"'))

    refused(answered, changes, CHECKSUM)


def test_x02_one_byte_of_the_signature_is_another(door, changes):
    root = signed(door)
    value = signature_of(root).find(f"{DSIG}SignatureValue")
    octets = bytearray(base64.b64decode(value.text))
    octets[10] ^= 1
    value.text = base64.b64encode(octets).decode()

    refused(post(door, root), changes, INTEGRITY)


def test_x03_a_valid_signature_by_a_key_we_do_not_know(door, changes):
    answered = door.send(wire.fresh("DEBIT"), key=wire.new_key())

    refused(answered, changes, INTEGRITY)


def test_x03_a_certificate_in_the_message_is_no_source_of_trust(door, changes):
    root = signed(door)
    data = etree.SubElement(signature_of(root).find(f"{DSIG}KeyInfo"), f"{DSIG}X509Data")
    etree.SubElement(data, f"{DSIG}X509Certificate").text = "MIIB"

    refused(post(door, root), changes, FORM)


@pytest.mark.parametrize(
    ("_case", "begins", "ends", "revoked"),
    [
        ("ended yesterday",  -10, -1,   None),
        ("begins tomorrow",    1, None, None),
        ("revoked just now", -10, None, 0),
    ],
)  # fmt: skip
def test_x04_a_key_outside_its_validity(door, peer_key, changes, _case, begins, ends, revoked):
    now = clock.now()

    def day(number):
        return None if number is None else now + dt.timedelta(days=number)

    PeerKey.objects.filter(pk=peer_key.pk).update(
        valid_from_at=day(begins), valid_until_at=day(ends), revoked_at=day(revoked)
    )

    refused(door.send(wire.fresh("DEBIT")), changes, INTEGRITY)


def test_x04_a_key_for_another_use(door, peer_key, changes):
    PeerKey.objects.filter(pk=peer_key.pk).update(purpose="CREDENTIAL")

    refused(door.send(wire.fresh("DEBIT")), changes, INTEGRITY)


def test_x05_rsa_with_sha1(door, changes):
    body = wire.sign(wire.fresh("DEBIT"), door.key, method=xmlsec.Transform.RSA_SHA1)

    refused(door.post(body), changes, FORM)


@pytest.mark.parametrize(
    "algorithm",
    [f"{wire.DSIG}dsa-sha1", f"{wire.DSIG}hmac-sha1", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"],
)
def test_x05_another_algorithm_by_name(door, changes, algorithm):
    root = signed(door)
    method = signature_of(root).find(f"{DSIG}SignedInfo/{DSIG}SignatureMethod")
    method.set("Algorithm", algorithm)

    refused(post(door, root), changes, FORM)


def hmac_signed(door: Door, *, length: str | None = None) -> etree._Element:
    """Sign as an attacker would: an HMAC keyed with the bytes of the public key."""
    root = signed(door)
    signature = signature_of(root)
    info = signature.find(f"{DSIG}SignedInfo")
    method = info.find(f"{DSIG}SignatureMethod")
    method.set("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")
    if length:
        etree.SubElement(method, f"{DSIG}HMACOutputLength").text = length
    mac = hmac.HMAC(wire.public_pem(door.key.public_key()), hashes.SHA256())
    mac.update(etree.tostring(info, method="c14n"))
    value = mac.finalize()[: 1 if length else None]
    signature.find(f"{DSIG}SignatureValue").text = base64.b64encode(value).decode()
    return root


def test_x05_an_hmac_keyed_with_the_public_key(door, changes):
    refused(post(door, hmac_signed(door)), changes, FORM)


@pytest.mark.parametrize("length", ["1", "8", "0"])
def test_x06_a_truncated_hmac(door, changes, length):
    refused(post(door, hmac_signed(door, length=length)), changes, FORM)


def test_x07_the_signed_original_is_wrapped_into_a_forged_root(door, changes):
    original = signed(door)
    forged = wire.fresh("DEBIT", txn_id=original.find("Txn").get("id"))
    original.set("Id", "original")
    signature = signature_of(original)
    signature.find(f"{DSIG}SignedInfo/{DSIG}Reference").set("URI", "#original")
    wrapper = etree.SubElement(forged, "Wrapper")
    wrapper.append(original)
    forged.append(signature)

    refused(post(door, forged), changes, FORM)


def test_x07_the_signature_stays_with_the_wrapped_original(door, changes):
    original = signed(door)
    forged = wire.fresh("DEBIT", txn_id=original.find("Txn").get("id"))
    etree.SubElement(forged, "Wrapper").append(original)

    refused(post(door, forged), changes, FORM)


def test_x08_a_forged_element_beside_the_signed_ones(door, changes):
    root = signed(door)
    extensions = etree.Element("Extensions")
    extensions.append(etree.fromstring(etree.tostring(root.find("Txn"))))
    root.insert(0, extensions)

    refused(post(door, root), changes, CHECKSUM)


def test_x08_a_forged_element_inside_the_signature(door, changes):
    root = signed(door)
    forged = etree.fromstring(etree.tostring(root.find("Txn")))
    etree.SubElement(signature_of(root), f"{DSIG}Object").append(forged)

    refused(post(door, root), changes, FORM)


def test_x08_even_who_holds_the_key_cannot_add_an_element(door, changes):
    def extend(root):
        extensions = etree.SubElement(root, "Extensions")
        extensions.append(etree.fromstring(etree.tostring(root.find("Txn"))))

    refused(door.send(wire.fresh("DEBIT", edit=extend)), changes, FORM)


def test_x09_two_elements_with_the_same_id(door, changes):
    def name_twice(root):
        root.find("Payer").set("Id", "same")
        root.find("Payees").set("Id", "same")

    refused(door.send(wire.fresh("DEBIT", edit=name_twice)), changes, FORM)


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:{port}/x", "file:///etc/passwd", "#body", "#xpointer(/)"]
)
def test_x10_a_reference_elsewhere_is_refused_and_not_followed(door, changes, uri):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        root = signed(door)
        reference = signature_of(root).find(f"{DSIG}SignedInfo/{DSIG}Reference")
        reference.set("URI", uri.format(port=listener.getsockname()[1]))

        refused(post(door, root), changes, FORM)

        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize(
    "algorithm",
    [
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/2002/06/xmldsig-filter2",
    ],
)
def test_x10_a_transform_that_selects_a_part(door, changes, algorithm):
    root = signed(door)
    transforms = signature_of(root).find(f"{DSIG}SignedInfo/{DSIG}Reference/{DSIG}Transforms")
    transform = etree.SubElement(transforms, f"{DSIG}Transform", Algorithm=algorithm)
    etree.SubElement(transform, f"{DSIG}XPath").text = "/nothing"

    refused(post(door, root), changes, FORM)


def test_x11_two_signatures(door, changes):
    root = signed(door)
    root.append(etree.fromstring(etree.tostring(signature_of(root))))

    refused(post(door, root), changes, FORM)


def test_x11_a_signature_that_is_not_the_last_child(door, changes):
    root = signed(door)
    root.insert(0, signature_of(root))

    refused(post(door, root), changes, FORM)


@pytest.mark.parametrize("count", [0, 2])
def test_x11_no_reference_or_two(door, changes, count):
    root = signed(door)
    info = signature_of(root).find(f"{DSIG}SignedInfo")
    reference = info.find(f"{DSIG}Reference")
    if count:
        info.append(etree.fromstring(etree.tostring(reference)))
    else:
        info.remove(reference)

    refused(post(door, root), changes, FORM)
