"""
Hostile messages in one table: what each is, and the code of the Ack that refuses it.

A case is made afresh for every use: its ids were never seen, and its POST leaves nothing but a line
of the log and a security event.
"""

import base64
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import xmlsec
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from tests.upi import wire

Root: TypeAlias = etree._Element
Key: TypeAlias = rsa.RSAPrivateKey
FORM, CHECKSUM, INTEGRITY = "U05", "U15", "U55"
DSIG = f"{{{wire.DSIG}}}"


@dataclass(frozen=True)
class Post:
    """What is posted, and where."""

    path: str
    body: bytes

    @property
    def txn_id(self) -> str:
        return self.path.rpartition(":")[2]


@dataclass(frozen=True)
class Case:
    """One row: the number of the attack, its meaning, the code, and how it is made."""

    number: str
    meaning: str
    code: str
    make: Callable[[Key], Post]

    def __str__(self) -> str:
        return f"{self.number} {self.meaning}"


def posted(body: bytes, like: Root, **path: str) -> Post:
    """Post a body under the address of the message it was made of."""
    parts = {"api": "ReqPay", "version": "2.0", "id": like.find("Txn").get("id")} | path
    return Post("/upi/{api}/{version}/urn:txnid:{id}".format(**parts), body)


def edited(edit: Callable[[Root], object], name: str = "DEBIT") -> Callable[[Key], Post]:
    """Edit a message, then sign it: what somebody with the key could try."""

    def make(key: Key) -> Post:
        root = wire.fresh(name)
        path = wire.path_of(etree.tostring(root))
        edit(root)
        return Post(path, wire.sign(root, key))

    return make


def tampered(change: Callable[[Root], object]) -> Callable[[Key], Post]:
    """Change a message after it was signed; the change may give another root."""

    def make(key: Key) -> Post:
        like = wire.fresh("DEBIT")
        root = etree.fromstring(wire.sign(like, key))
        changed = change(root)
        root = root if changed is None else changed
        return posted(etree.tostring(root, encoding="UTF-8"), like)

    return make


def rewritten(change: Callable[[bytes], bytes]) -> Callable[[Key], Post]:
    """Change the bytes of a signed message."""

    def make(key: Key) -> Post:
        like = wire.fresh("DEBIT")
        return posted(change(wire.sign(like, key)), like)

    return make


def addressed(**path: str) -> Callable[[Key], Post]:
    """Post a good message under an address that names another one."""
    return lambda key: posted(wire.sign(like := wire.fresh("DEBIT"), key), like, **path)


def by_stranger(_key: Key) -> Post:
    root = wire.fresh("DEBIT")
    return posted(wire.sign(root, wire.new_key()), root)


def by_rsa_sha1(key: Key) -> Post:
    root = wire.fresh("DEBIT")
    return posted(wire.sign(root, key, method=xmlsec.Transform.RSA_SHA1), root)


def unsigned(_key: Key) -> Post:
    root = wire.fresh("DEBIT")
    return posted(etree.tostring(root), root)


def signature(root: Root, *steps: str) -> Root:
    return root.find("/".join(f"{DSIG}{step}" for step in ("Signature", *steps)))


def certify(root: Root) -> None:
    data = etree.SubElement(signature(root, "KeyInfo"), f"{DSIG}X509Data")
    etree.SubElement(data, f"{DSIG}X509Certificate").text = "MIIB"


def mac(*, length: str = "") -> Callable[[Key], Post]:
    """Sign as an attacker would: an HMAC keyed with the bytes of the public key."""

    def make(key: Key) -> Post:
        like = wire.fresh("DEBIT")
        root = etree.fromstring(wire.sign(like, key))
        method = signature(root, "SignedInfo", "SignatureMethod")
        method.set("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")
        if length:
            etree.SubElement(method, f"{DSIG}HMACOutputLength").text = length
        code = hmac.HMAC(wire.public_pem(key.public_key()), hashes.SHA256())
        code.update(etree.tostring(signature(root, "SignedInfo"), method="c14n"))
        value = code.finalize()[: 1 if length else None]
        signature(root, "SignatureValue").text = base64.b64encode(value).decode()
        return posted(etree.tostring(root), like)

    return make


def wrap(root: Root) -> Root:
    forged = wire.fresh("DEBIT", txn_id=root.find("Txn").get("id"))
    proof = signature(root)
    root.set("Id", "original")
    signature(root, "SignedInfo", "Reference").set("URI", "#original")
    etree.SubElement(forged, "Wrapper").append(root)
    forged.append(proof)
    return forged


def add_sibling(root: Root) -> None:
    extensions = etree.Element("Extensions")
    extensions.append(etree.fromstring(etree.tostring(root.find("Txn"))))
    root.insert(0, extensions)


def name_twice(root: Root) -> None:
    root.find("Payer").set("Id", "same")
    root.find("Payees").set("Id", "same")


def refer(uri: str) -> Callable[[Root], None]:
    return lambda root: signature(root, "SignedInfo", "Reference").set("URI", uri)


def select(algorithm: str) -> Callable[[Root], None]:
    def change(root: Root) -> None:
        transforms = signature(root, "SignedInfo", "Reference", "Transforms")
        step = etree.SubElement(transforms, f"{DSIG}Transform", Algorithm=algorithm)
        etree.SubElement(step, f"{DSIG}XPath").text = "/nothing"

    return change


def sign_twice(root: Root) -> None:
    root.append(etree.fromstring(etree.tostring(signature(root))))


def drop_reference(root: Root) -> None:
    info = signature(root, "SignedInfo")
    info.remove(info.find(f"{DSIG}Reference"))


def double_reference(root: Root) -> None:
    info = signature(root, "SignedInfo")
    info.append(etree.fromstring(etree.tostring(info.find(f"{DSIG}Reference"))))


def doctype(subset: bytes) -> Callable[[Key], Post]:
    return rewritten(
        lambda body: b"<!DOCTYPE r " + subset + b">" + body.replace(b'"149.50"', b'"&x;"')
    )


def bomb(body: bytes) -> Callable[[Key], Post]:
    return lambda _key: posted(body, wire.fresh("DEBIT"))


def laughs() -> bytes:
    levels = [b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10)]
    return b'<!DOCTYPE r [<!ENTITY l0 "lol">' + b"".join(levels) + b"]><r>&l9;</r>"


def blow_up() -> bytes:
    return b'<!DOCTYPE r [<!ENTITY x "' + b"a" * 50_000 + b'">]><r>' + b"&x;" * 2_000 + b"</r>"


def inserted(content: bytes) -> Callable[[Key], Post]:
    return rewritten(lambda body: body.replace(b"<Head ", content + b"<Head ", 1))


def recoded(change: Callable[[str], bytes]) -> Callable[[Key], Post]:
    return rewritten(lambda body: change(body.decode()))


def declared(encoding: str) -> Callable[[Key], Post]:
    return recoded(lambda text: f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode())


def add_foreign(root: Root) -> None:
    twin = etree.SubElement(root, "{urn:evil}Txn", nsmap={"evil": "urn:evil"})
    twin.attrib.update(root.find("Txn").attrib)


def unknown_api(key: Key) -> Post:
    root = etree.Element(f"{{{wire.UPI}}}ReqSteal", nsmap={"upi": wire.UPI})
    root.extend(wire.fresh("DEBIT"))
    return posted(wire.sign(root, key), root, api="ReqSteal")


def at(minutes: float) -> Callable[[Root], None]:
    def change(root: Root) -> None:
        instant = wire.now() + dt.timedelta(minutes=minutes)
        root.find("Head").set("ts", instant.isoformat())

    return change


def nested(depth: int) -> bytes:
    return b"<a>" * depth + b"</a>" * depth


def put(path: str, name: str, value: str) -> Callable[[Root], None]:
    return lambda root: root.find(path).set(name, value)


def attributes(count: int) -> bytes:
    return b"<a " + b" ".join(b'a%d=""' % number for number in range(count)) + b"/>"


XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"
FILE = b'[<!ENTITY x SYSTEM "file:///etc/passwd">]'
SITE = b'[<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]'
PARAMETER = b'[<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]'

CASES = tuple(
    Case(*row)
    for row in (
        ("X01", "no signature",                  FORM,      unsigned),
        ("X02", "an amount changed",             CHECKSUM,  rewritten(
            lambda body: body.replace(b'"149.50"', b'"149.51"'))),
        ("X03", "a key nobody knows",            INTEGRITY, by_stranger),
        ("X03", "a certificate comes along",     FORM,      tampered(certify)),
        ("X05", "rsa-sha1",                      FORM,      by_rsa_sha1),
        ("X05", "an HMAC with the public key",   FORM,      mac()),
        ("X06", "an HMAC cut to one byte",       FORM,      mac(length="8")),
        ("X07", "the original wrapped",          FORM,      tampered(wrap)),
        ("X08", "a forged sibling",              CHECKSUM,  tampered(add_sibling)),
        ("X08", "a sibling that is signed too",  FORM,      edited(add_sibling)),
        ("X09", "one Id for two elements",       FORM,      edited(name_twice)),
        ("X10", "a reference by http",           FORM,      tampered(refer("http://127.0.0.1:9/"))),
        ("X10", "a reference to a file",         FORM,      tampered(refer("file:///etc/passwd"))),
        ("X10", "a transform by XPath",          FORM,      tampered(select(XPATH))),
        ("X10", "a transform by XSLT",           FORM,      tampered(select(XSLT))),
        ("X11", "two signatures",                FORM,      tampered(sign_twice)),
        ("X11", "no reference",                  FORM,      tampered(drop_reference)),
        ("X11", "two references",                FORM,      tampered(double_reference)),
        ("X12", "a comment in a text",           FORM,      rewritten(
            lambda body: body.replace(b"2.0|", b"2.<!---->0|"))),
        ("X13", "an entity",                     FORM,      doctype(b'[<!ENTITY x "500.00">]')),
        ("X14", "an entity that is a file",      FORM,      doctype(FILE)),
        ("X14", "an entity that is a site",      FORM,      doctype(SITE)),
        ("X14", "a parameter entity",            FORM,      doctype(PARAMETER)),
        ("X15", "a billion laughs",              FORM,      bomb(laughs())),
        ("X15", "a quadratic blow-up",           FORM,      bomb(blow_up())),
        ("X16", "300 levels",                    FORM,      inserted(nested(300))),
        ("X16", "2 MB",                          FORM,      inserted(b" " * 2_000_000)),
        ("X16", "10,001 attributes",             FORM,      inserted(attributes(10_001))),
        ("X17", "UTF-7 declared",                FORM,      declared("UTF-7")),
        ("X17", "UTF-16",                        FORM,      recoded(lambda t: t.encode("utf-16"))),
        ("X17", "EBCDIC",                        FORM,      recoded(lambda t: t.encode("cp037"))),
        ("X17", "a byte order mark",             FORM,      recoded(
            lambda text: b"\xef\xbb\xbf" + text.encode())),
        ("X18", "the name in another namespace", FORM,      edited(add_foreign)),
        ("X19", "an unknown version",            "H02",     edited(put("Head", "ver", "3.0"))),
        ("X19", "an API that does not exist",    "U10",     unknown_api),
        ("X19", "another API in the address",    "U10",     addressed(api="RespPay")),
        ("X19", "another version there",         "H02",     addressed(version="1.0")),
        ("X23", "ten minutes old",               "H03",     edited(at(-10))),
        ("X23", "ten minutes ahead",             "H03",     edited(at(10))),
        ("X24", "an answer to nothing asked",    "U06",     edited(etree.indent, "PAY_ANSWER")),
        ("X28", "an organisation nobody knows",  "U52",     edited(put("Head", "orgId", "666666"))),
    )
)  # fmt: skip
