"""Make a customer, bind a device to them, link their accounts."""

import datetime as dt
import uuid
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.db import transaction

from apps.customers import selectors
from apps.customers.models import Customer, Device, LinkedAccount


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What an app tells of the phone it runs on; the wire carries it in Payer/Device."""

    public_key_pem: str
    identifier: str
    os: str = "Android 14"
    app: str = "com.example.upi"
    capability: str = "5200000200010004000639292929292"
    location: str = "Mumbai,Maharashtra"
    geocode: str = "19.0760,72.8777"
    ip: str = "203.0.113.10"


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What a bank tells of an account of its customer."""

    account_number: str
    ifsc: str
    account_type: str
    holder_name: str


@transaction.atomic(durable=True)
def enrol_customer(*, mobile: str, name: str, device: DeviceFacts, at: dt.datetime) -> Device:
    """
    Make the customer of a mobile number, if there is none yet, and bind the device to them.

    The device they had before is revoked, and its session with it.
    """
    customer = selectors.customer_by_mobile(mobile)
    if customer is None:
        customer = Customer.objects.create(mobile=mobile, name=name, created_at=at)
    selectors.lock_customer(customer.pk)
    _revoke(customer.pk, at=at)
    check_key(device.public_key_pem)
    return Device.objects.create(
        customer=customer,
        public_key_pem=device.public_key_pem,
        identifier=device.identifier,
        os=device.os,
        app=device.app,
        capability=device.capability,
        location=device.location,
        geocode=device.geocode,
        ip=device.ip,
        bound_at=at,
    )


def revoke_devices(customer_id: uuid.UUID, *, at: dt.datetime) -> int:
    """Unbind the customer's device; every session of it is refused from now on."""
    return _revoke(customer_id, at=at)


def link_account(
    customer_id: uuid.UUID, account: AccountFacts, *, at: dt.datetime
) -> LinkedAccount:
    """Link an account to a customer; the first is the default. Linking twice is linking once."""
    with transaction.atomic():
        selectors.lock_customer(customer_id)
        linked, _ = LinkedAccount.objects.get_or_create(
            customer_id=customer_id,
            ifsc=account.ifsc,
            account_number=account.account_number,
            defaults={
                "account_type": account.account_type,
                "holder_name": account.holder_name,
                "is_default": not selectors.accounts_of(customer_id).exists(),
                "linked_at": at,
            },
        )
    return linked


def check_key(pem: str) -> None:
    """Raise ValueError unless the text is the public key of an ECDSA P-256 pair."""
    key = load_pem_public_key(pem.encode())
    is_p256 = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    if not is_p256:
        raise ValueError("a device key is ECDSA P-256")


def _revoke(customer_id: uuid.UUID, *, at: dt.datetime) -> int:
    return Device.objects.filter(customer_id=customer_id, state=Device.State.BOUND).update(
        state=Device.State.REVOKED, revoked_at=at
    )
