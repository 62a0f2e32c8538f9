"""The switch's hand: debits and credits as it would send them now, signed with its own key."""

import datetime as dt
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree

from apps.common import ids
from sandbox import credentials
from sandbox.keys import load_public
from tests.benchmarks import open_loop
from tests.benchmarks.ground import Ground
from tests.upi import wire

AMOUNT = "1.00"
ABROAD = "ravi@smplbank"
ABROAD_ACCOUNT = ("SMPL0000002", "009876500001")
_NUMBERS = "SELECT id, ifsc, account_number FROM customers_linkedaccount"


@dataclass(frozen=True)
class Side:
    """A customer of this bank as the switch names him."""

    address: str
    name: str
    ifsc: str
    number: str
    mobile: str
    pin: str


@dataclass(frozen=True)
class Sent:
    """A message that is ready, and the transaction by which its answer is known."""

    txn_id: str
    request: bytes


class Hand:
    """Makes messages about the customers of a ground."""

    def __init__(self, found: Ground) -> None:
        folder = found.platform.directory
        pem = (folder.root / "switch" / "NPCI.signing.private.pem").read_bytes()
        key = load_pem_private_key(pem, password=None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self._key = key
        self._issuer = load_public((folder.keys / "900001.credential.pem").read_bytes())
        self._sides = _sides(found)
        # One RRN for many transactions would make each of them a duplicate, which is slower.
        self._rrn = secrets.randbelow(10**11)

    def messages(self, kind: str, count: int, *, rate: float, begins_at: float) -> list[Sent]:
        """Return so many ReqPay of a kind, DEBIT or CREDIT, each of the instant it leaves at."""
        ahead = dt.timedelta(seconds=int(begins_at - time.monotonic()))
        begins = wire.now() + ahead
        return [
            self._message(
                kind,
                self._sides[number % len(self._sides)],
                at=begins + dt.timedelta(seconds=int(number / rate)),
            )
            for number in range(count)
        ]

    def _message(self, kind: str, side: Side, *, at: dt.datetime) -> Sent:
        root = wire.fresh(kind, at=at)
        txn = root.find("Txn")
        txn.set("ts", at.isoformat())
        self._rrn += 1
        txn.set("custRef", f"{self._rrn:012}")
        payer, payee = root.find("Payer"), root.find("Payees/Payee")
        payee.remove(payee.find("Merchant"))
        for party in (payer, payee):
            party.set("type", "PERSON")
            party.set("code", "0000")
            party.find("Amount").set("value", AMOUNT)
        ours, theirs = (payer, payee) if kind == "DEBIT" else (payee, payer)
        _name(ours, side.address, side.name, side.ifsc, side.number)
        _name(theirs, ABROAD, "RAVI IYER", *ABROAD_ACCOUNT)
        if kind == "DEBIT":
            self._prove(payer, txn.get("id"), side)
        body = wire.sign(root, self._key)
        return Sent(txn.get("id"), open_loop.post(wire.path_of(body), body))

    def _prove(self, payer: etree._Element, txn_id: str, side: Side) -> None:
        payer.find("Device/Tag[@name='MOBILE']").set("value", side.mobile)
        binding = credentials.IssuerBinding("ReqPay", "DEBIT", txn_id, AMOUNT, side.address, ABROAD)
        data = payer.find("Creds/Cred/Data")
        data.set("ki", "20261101")
        data.text = credentials.make_issuer_block(
            side.pin,
            binding=binding,
            bank_code="EXB",
            account=side.number,
            issuer_key=self._issuer,
        )


def _name(party: etree._Element, address: str, name: str, ifsc: str, number: str) -> None:
    party.set("addr", address)
    party.set("name", name)
    party.find("Info/Identity").set("verifiedName", name)
    party.find("Info/Identity").set("id", number)
    party.find("Ac/Detail[@name='IFSC']").set("value", ifsc)
    party.find("Ac/Detail[@name='ACTYPE']").set("value", "SAVINGS")
    party.find("Ac/Detail[@name='ACNUM']").set("value", number)


def _sides(found: Ground) -> Sequence[Side]:
    known = {row[0]: row[1:] for row in found.connection.execute(_NUMBERS)}
    sides = []
    for payer in found.payers:
        ifsc, number = known[UUID(str(ids.parse_public_id("acc", payer.account_id)))]
        mobile = payer.phone.handset.mobile
        sides.append(Side(payer.vpa, payer.name, ifsc, number, mobile, payer.pin))
    return sides
