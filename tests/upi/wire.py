"""The switch's side of the wire for tests: vectors made fresh, and signatures by libxmlsec1."""

import base64
import datetime as dt
import functools
import uuid
from collections.abc import Callable
from pathlib import Path

import xmlsec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

VECTORS = Path(__file__).parent / "vectors"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
UPI = "http://npci.org/upi/schema/"
IST = dt.timezone(dt.timedelta(hours=5, minutes=30))
# The messages that the switch sends to this bank, by a short name.
INBOUND = {
    "DEBIT": "05_ReqPay_DEBIT",
    "CREDIT": "07_ReqPay_CREDIT",
    "REVERSAL": "12_ReqPay_REVERSAL_debit",
    "AUTH": "03_ReqAuthDetails_PAY",
    "CONFIRMATION": "10_ReqTxnConfirmation",
    "BALANCE": "40_ReqBalEnq",
    "REGISTER": "36_ReqRegMob",
    "HEARTBEAT": "19_ReqHbt",
    "PAY_ANSWER": "09_RespPay_final",
    "BALANCE_ANSWER": "41_RespBalEnq",
    "HEARTBEAT_ANSWER": "20_RespHbt",
}


def vector(name: str) -> bytes:
    return (VECTORS / f"{name}.xml").read_bytes()


def unsigned_vectors() -> list[str]:
    return sorted(
        file.stem
        for file in VECTORS.glob("*.xml")
        if not file.stem.startswith("02") and file.suffixes == [".xml"]
    )


def new_id(prefix: str = "NPC") -> str:
    return prefix + uuid.uuid4().hex


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def public_pem(key: rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def now() -> dt.datetime:
    return dt.datetime.now(tz=IST).replace(microsecond=0)


def fresh(
    name: str,
    *,
    txn_id: str | None = None,
    msg_id: str | None = None,
    at: dt.datetime | None = None,
    edit: Callable[[etree._Element], None] | None = None,
) -> etree._Element:
    """Return a vector's root as the switch would send it now, with new ids unless told."""
    root = etree.fromstring(vector(INBOUND.get(name, name)))
    head = root.find("Head")
    head.set("ts", (at or now()).isoformat())
    head.set("orgId", "NPCI")
    head.set("msgId", msg_id or new_id())
    root.find("Txn").set("id", txn_id or new_id("EXB"))
    if edit is not None:
        edit(root)
    return root


def sign(
    root: etree._Element,
    key: rsa.RSAPrivateKey,
    *,
    method: object = xmlsec.Transform.RSA_SHA256,
    canonicalisation: object = xmlsec.Transform.C14N,
) -> bytes:
    """Sign by libxmlsec1, which shares nothing with the code under test."""
    signature = xmlsec.template.create(root, canonicalisation, method)
    root.append(signature)
    reference = xmlsec.template.add_reference(signature, xmlsec.Transform.SHA256, uri="")
    xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    context = xmlsec.SignatureContext()
    context.key = _signing_key(key)
    context.sign(signature)
    # libxmlsec1 leaves the key's value out; it is not part of what is signed.
    show_key(signature, key.public_key())
    return etree.tostring(root, encoding="UTF-8")


@functools.lru_cache(maxsize=8)
def _signing_key(key: rsa.RSAPrivateKey) -> xmlsec.Key:
    return xmlsec.Key.from_memory(private_pem(key), xmlsec.KeyFormat.PEM)


def show_key(signature: etree._Element, key: rsa.RSAPublicKey) -> None:
    """Write a public key into a signature's KeyInfo."""
    info = etree.SubElement(signature, f"{{{DSIG}}}KeyInfo")
    value = etree.SubElement(
        etree.SubElement(info, f"{{{DSIG}}}KeyValue"), f"{{{DSIG}}}RSAKeyValue"
    )
    numbers = key.public_numbers()
    for name, number in (("Modulus", numbers.n), ("Exponent", numbers.e)):
        octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
        etree.SubElement(value, f"{{{DSIG}}}{name}").text = base64.b64encode(octets).decode()


def path_of(body: bytes) -> str:
    root = etree.fromstring(body)
    api = etree.QName(root).localname
    return f"/upi/{api}/{root.find('Head').get('ver')}/urn:txnid:{root.find('Txn').get('id')}"
