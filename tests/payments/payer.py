"""A customer of ours who pays: an account with a PIN, a bound phone, an address, and a session."""

import base64
import uuid
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from rest_framework.test import APIClient

from apps.common import clock, ids
from apps.common.addresses import VpaAddress
from apps.customers.services import enrol
from apps.payments.models import Transaction
from apps.vpa.selectors import resolved_of
from apps.vpa.services.register import register_address
from tests.api.people import Person, Shop
from tests.payments.hand import Deal, Hand, Side

BLOCK = {"ki": "20150822", "data": "2.0|" + base64.b64encode(b"a device's block").decode()}


@dataclass
class Payer:
    """The customer with all that is theirs."""

    side: Side
    person: Person
    account_id: str
    address: str
    hand: Hand

    @property
    def client(self) -> APIClient:
        return self.person.client

    def body(self, payee: Side, **members: Any) -> dict[str, Any]:
        return {
            "txn_id": ids.new_upi_id("EXB"),
            "account": self.account_id,
            "payer_vpa": self.address,
            "payee_vpa": payee.address,
            "payee_name": payee.name,
            "amount": 14950,
            "currency": "INR",
            "note": "order 1",
            "pin_block": BLOCK,
            **members,
        }

    def post(self, body: dict[str, Any], key: str | None = None) -> Any:
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return self.client.post("/app/v1/payments", body, format="json", headers=headers)

    def pay(self, payee: Side, **members: Any) -> Deal:
        """Pay by the API, and return the payment as the switch will know it."""
        body = self.body(payee, **members)
        answer = self.post(body)
        assert answer.status_code == 202, answer.content
        return self.deal(payee, body["txn_id"])

    def deal(self, payee: Side, transaction_id: str) -> Deal:
        facts = Transaction.objects.get(pk=transaction_id)
        return Deal(
            payer=self.side,
            payee=payee,
            paise=facts.amount_paise,
            id=facts.pk,
            rrn=facts.rrn,
            note=facts.note,
            reference=facts.reference or None,
            at=facts.initiated_at,
        )

    def see(self, deal: Deal) -> dict[str, Any]:
        answer = self.client.get(f"/app/v1/payments/{deal.id}")
        assert answer.status_code == 200, answer.content
        return answer.json()


def enrol_payer(
    hand: Hand,
    number: str = "001234567890",
    *,
    paise: int = 100_000,
    mobile: str = "919800000001",
    address: str = "asha@exbank",
) -> Payer:
    side = hand.account(number, paise=paise, mobile=mobile)
    person, linked = _person(mobile, number)
    register_address(VpaAddress.parse(address), account=linked, at=clock.now())
    side = Side(address=address, number=number, mobile=mobile)
    account_id = ids.public_id("acc", linked.pk)
    return Payer(side=side, person=person, account_id=account_id, address=address, hand=hand)


def enrol_payee(
    hand: Hand,
    number: str = "001234567899",
    *,
    mobile: str = "919800000002",
    address: str = "ravi@exbank",
    paise: int = 0,
) -> Side:
    """A customer who is only paid: an account and an address, no PIN."""
    hand.plain_account(number, mobile=mobile, paise=paise)
    _, linked = _person(mobile, number, name="RAVI IYER")
    register_address(VpaAddress.parse(address), account=linked, at=clock.now())
    return Side(address=address, number=number, mobile=mobile, name="RAVI IYER")


def _person(mobile: str, number: str, *, name: str = "ASHA RAO"):
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    device = enrol.enrol_customer(
        mobile=mobile,
        name=name,
        device=enrol.DeviceFacts(public_key_pem=pem, identifier=f"phone{mobile[-4:]}"),
        at=clock.now(),
    )
    facts = enrol.AccountFacts(
        account_number=number, ifsc="EXBK0000001", account_type="SAVINGS", holder_name=name
    )
    linked = enrol.link_account(device.customer_id, facts, at=clock.now())
    person = Person(device=device, key=key, accounts=[linked])
    person.log_in()
    return person, linked


def shop_side(hand: Hand, shop: Shop) -> Side:
    """Open the merchant's account at this bank, and return the merchant as a payee."""
    vpa = shop.merchant.vpa
    hand.plain_account(vpa.account_number, mobile="919800000009")
    resolved = resolved_of(vpa)
    return Side(
        address=vpa.address,
        number=vpa.account_number,
        name=shop.merchant.name,
        merchant=resolved.merchant,
    )
