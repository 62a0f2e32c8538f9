"""People and shops for the tests of what they may do: enrolled by our services, as in life."""

import base64
import itertools
import uuid
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from rest_framework.test import APIClient

from apps.common import clock, ids
from apps.common.addresses import VpaAddress
from apps.customers.models import Device, LinkedAccount
from apps.customers.services import enrol
from apps.merchants.models import Merchant
from apps.merchants.services.keys import issue_key
from apps.merchants.services.onboard import onboard_merchant
from apps.upi.contracts import AccountAddress, MerchantBlock

BLOCK = {"ki": "20150822", "data": "2.0|" + base64.b64encode(b"not a real block").decode()}
# Beyond the mobile numbers that tests write down themselves.
_numbers = itertools.count(1000)


def new_transaction_id() -> str:
    return f"EXB{uuid.uuid4().hex}"


@dataclass
class Person:
    """A customer with a bound phone."""

    device: Device
    key: ec.EllipticCurvePrivateKey
    accounts: list[LinkedAccount] = field(default_factory=list)
    token: str = ""

    @property
    def device_id(self) -> str:
        return ids.public_id("dev", self.device.pk)

    @property
    def account_id(self) -> str:
        return ids.public_id("acc", self.accounts[0].pk)

    def sign(self, challenge: str) -> str:
        text = f"upi-session|{self.device_id}|{challenge}".encode()
        return base64.b64encode(self.key.sign(text, ec.ECDSA(hashes.SHA256()))).decode()

    def challenge(self) -> str:
        answer = APIClient().post(
            "/app/v1/sessions/challenges", {"device_id": self.device_id}, format="json"
        )
        assert answer.status_code == 201, answer.content
        return answer.json()["challenge"]

    def log_in(self) -> "Person":
        challenge = self.challenge()
        body = {
            "device_id": self.device_id,
            "challenge": challenge,
            "signature": self.sign(challenge),
        }
        answer = APIClient().post("/app/v1/sessions", body, format="json")
        assert answer.status_code == 201, answer.content
        self.token = answer.json()["token"]
        return self

    @property
    def client(self) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {self.token}")
        return client


def enrol_person(name: str = "ASHA RAO", *, accounts: int = 1) -> Person:
    """Enrol a customer with a new mobile number, a phone and accounts, and log them in."""
    number = next(_numbers)
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    device = enrol.enrol_customer(
        mobile=f"9198{number:08d}",
        name=name,
        device=enrol.DeviceFacts(public_key_pem=pem, identifier=f"phone{number}"),
        at=clock.now(),
    )
    person = Person(device=device, key=key)
    for place in range(accounts):
        facts = enrol.AccountFacts(
            account_number=f"0099{number:06d}{place:02d}",
            ifsc="EXBK0000001",
            account_type="SAVINGS",
            holder_name=name,
        )
        person.accounts.append(enrol.link_account(device.customer_id, facts, at=clock.now()))
    return person.log_in()


@dataclass
class Shop:
    """A merchant with an API key."""

    merchant: Merchant
    key: str
    key_id: uuid.UUID

    @property
    def address(self) -> str:
        return self.merchant.vpa.address

    @property
    def client(self) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {self.key}")
        return client

    def order(self, **members: Any) -> Any:
        """POST an order and return the answer."""
        number = next(_numbers)
        headers = {"Idempotency-Key": members.pop("idempotency_key", f"order-{number}")}
        body = {"reference": f"INV-{number}", "amount": 49900, "currency": "INR", **members}
        return self.client.post("/v1/orders", body, format="json", headers=headers)


def open_shop(name: str = "Nila Books", *, is_live: bool = True, **key: Any) -> Shop:
    """Onboard a merchant and give it an API key."""
    number = next(_numbers)
    merchant = onboard_merchant(
        name=name,
        address=VpaAddress.parse(f"shop{number}@exbank"),
        account=AccountAddress(
            ifsc="EXBK0000001", account_type="CURRENT", account_number=f"0098{number:08d}"
        ),
        block=MerchantBlock(
            sub_code="5942",
            mid=f"MID{number:05d}",
            sid="STORE01",
            tid="TID00001",
            merchant_type="SMALL",
            merchant_genre="ONLINE",
            on_boarding_type="BANK",
            brand=name[:20],
            legal=name[:20],
            franchise=name[:20],
            ownership="PRIVATE",
        ),
        at=clock.now(),
    )
    row, secret = issue_key(
        merchant_id=merchant.pk, name="tests", is_live=is_live, at=clock.now(), **key
    )
    return Shop(merchant=merchant, key=secret.reveal(), key_id=row.pk)
