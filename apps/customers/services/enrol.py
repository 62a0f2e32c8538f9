"""Make a customer, bind a device to them, link their accounts."""

import datetime as dt
import uuid
from collections.abc import Sequence
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


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A customer to be, with phone and account."""

    mobile: str
    name: str
    device: DeviceFacts
    account: AccountFacts


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
    bound = _device(customer, device, at=at)
    bound.save(force_insert=True)
    return bound


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


@transaction.atomic(durable=True)
def enrol_crowd(enrolments: Sequence[Enrolment], *, at: dt.datetime) -> list[LinkedAccount]:
    """
    Enrol many new customers at once, each with a device and one account; three statements.

    Their mobile numbers are new: a known one is a bug of the caller.
    """
    customers = [Customer(mobile=each.mobile, name=each.name, created_at=at) for each in enrolments]
    pairs = list(zip(customers, enrolments, strict=True))
    devices = [_device(customer, each.device, at=at) for customer, each in pairs]
    accounts = [
        LinkedAccount(
            customer=customer,
            account_number=each.account.account_number,
            ifsc=each.account.ifsc,
            account_type=each.account.account_type,
            holder_name=each.account.holder_name,
            is_default=True,
            linked_at=at,
        )
        for customer, each in pairs
    ]
    Customer.objects.bulk_create(customers)
    Device.objects.bulk_create(devices)
    return LinkedAccount.objects.bulk_create(accounts)


def check_key(pem: str) -> None:
    """Raise ValueError unless the text is the public key of an ECDSA P-256 pair."""
    key = load_pem_public_key(pem.encode())
    is_p256 = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    if not is_p256:
        raise ValueError("a device key is ECDSA P-256")


def _device(customer: Customer, facts: DeviceFacts, *, at: dt.datetime) -> Device:
    check_key(facts.public_key_pem)
    return Device(
        customer=customer,
        public_key_pem=facts.public_key_pem,
        identifier=facts.identifier,
        os=facts.os,
        app=facts.app,
        capability=facts.capability,
        location=facts.location,
        geocode=facts.geocode,
        ip=facts.ip,
        bound_at=at,
    )


def _revoke(customer_id: uuid.UUID, *, at: dt.datetime) -> int:
    return Device.objects.filter(customer_id=customer_id, state=Device.State.BOUND).update(
        state=Device.State.REVOKED, revoked_at=at
    )
