"""Make up a small world to show the platform with: customers, a shop, staff."""

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.accounts.contracts import DebitCard
from apps.accounts.services.open_account import deposit, open_account
from apps.common import ids
from apps.common.addresses import VpaAddress
from apps.common.money import Money
from apps.customers import selectors as customers
from apps.customers.models import Device, LinkedAccount
from apps.customers.services.enrol import (
    AccountFacts,
    DeviceFacts,
    enrol_customer,
    link_account,
)
from apps.merchants import webhook_signature
from apps.merchants.models import Merchant
from apps.merchants.seed_files import SeedFiles
from apps.merchants.services.endpoints import register_endpoint
from apps.merchants.services.keys import issue_key
from apps.merchants.services.onboard import onboard_merchant
from apps.operators import roles
from apps.operators.errors import CodeRefusedError
from apps.operators.models import Operator
from apps.operators.services import enrol as second_factor
from apps.risk.services.first_day import establish
from apps.upi.contracts import AccountAddress, MerchantBlock
from apps.vpa.services.register import register_address

CARD_EXPIRY = "1230"
APP = "com.example.upi"


@dataclass(frozen=True, slots=True)
class DemoCustomer:
    """Somebody with a phone and an account."""

    name: str
    full_name: str
    mobile: str
    account_number: str
    card_digits: str
    opening_rupees: str


CUSTOMERS = (
    DemoCustomer("asha", "ASHA RAO", "919800000001", "001100000001", "100001", "50000.00"),
    DemoCustomer("ravi", "RAVI IYER", "919800000002", "001100000002", "100002", "20000.00"),
    DemoCustomer("meera", "MEERA DAS", "919800000003", "001100000003", "100003", "10000.00"),
    DemoCustomer("kiran", "KIRAN BOSE", "919800000004", "001100000004", "100004", "0.00"),
)
SHOP_NAME = "NILA BOOKS PRIVATE LIMITED"
SHOP_ADDRESS = "nilabooks@exbank"
SHOP_ACCOUNT = "001100000101"
SHOP_BLOCK = MerchantBlock(
    sub_code="5942",
    mid="NILA0001",
    sid="STORE01",
    tid="TID00001",
    merchant_type="SMALL",
    merchant_genre="ONLINE",
    on_boarding_type="BANK",
    brand="Nila Books",
    legal="Nila Books Pvt Ltd",
    franchise="Nila Books",
    ownership="PRIVATE",
)
STAFF = (
    ("OPS001", "operations@exbank.example", "Operations Desk", roles.OPERATIONS),
    ("AUD001", "audit@exbank.example", "Internal Audit", roles.AUDITOR),
    ("SEC001", "security@exbank.example", "Security Desk", roles.SECURITY_OFFICER),
    # What one officer proposes another approves.
    ("SEC002", "security.two@exbank.example", "Second Security Desk", roles.SECURITY_OFFICER),
)


def seed_customer(person: DemoCustomer, files: SeedFiles, *, at: dt.datetime) -> dict[str, Any]:
    """Make a customer with phone, account and address; what is there already stays as it is."""
    card = DebitCard(digits=person.card_digits, expiry=CARD_EXPIRY)
    account = open_account(
        number=person.account_number,
        holder_name=person.full_name,
        mobile=person.mobile,
        card=card,
    )
    # They play customers of old, whose first 24 hours are long over.
    establish([account.pk])
    opening = Money.from_rupees(person.opening_rupees)
    if opening:
        deposit(number=person.account_number, amount=opening, reference=f"opening-{person.name}")
    device = _device_of(person, files, at=at)
    facts = AccountFacts(
        account_number=account.number,
        ifsc=account.ifsc,
        account_type=account.account_type,
        holder_name=account.holder_name,
    )
    linked = link_account(device.customer_id, facts, at=at)
    address = VpaAddress.parse(f"{person.name}@{settings.UPI_HANDLES[0]}")
    register_address(address, account=linked, at=at)
    phone = {
        "name": person.name,
        **phone_facts(device, linked),
        "vpa": str(address),
        "card_digits": person.card_digits,
        "card_expiry": CARD_EXPIRY,
        "key_file": f"{person.name}.key.pem",
    }
    files.write(person.name, phone)
    return phone


def phone_facts(device: Device, account: LinkedAccount) -> dict[str, str]:
    """Return what a phone must know of itself; a block is bound to the tags ID, APP and MOBILE."""
    mobile = device.customer.mobile
    return {
        "customer_id": ids.public_id("cus", device.customer_id),
        "device_id": ids.public_id("dev", device.pk),
        "device_identifier": device.identifier,
        "app_id": device.app,
        "mobile": mobile,
        "address": customers.message_address(mobile),
        "account_id": ids.public_id("acc", account.pk),
    }


def seed_merchant(files: SeedFiles, *, at: dt.datetime) -> dict[str, Any]:
    """Make the shop with an API key and a webhook; a shop that is there stays as it is."""
    known: dict[str, Any] | None = files.read("merchant")
    if known is not None and Merchant.objects.filter(vpa__address=SHOP_ADDRESS).exists():
        return known
    merchant = Merchant.objects.filter(vpa__address=SHOP_ADDRESS).first() or _onboard(at=at)
    _, key = issue_key(merchant_id=merchant.pk, name="demo", is_live=True, at=at)
    url = f"{settings.SMS_GATEWAY_URL}/webhooks/nilabooks"
    endpoint, secret = register_endpoint(url, merchant_id=merchant.pk, is_live=True, at=at)
    shop = {
        "name": SHOP_NAME,
        "merchant_id": str(merchant),
        "vpa": SHOP_ADDRESS,
        "mcc": SHOP_BLOCK.sub_code,
        "api_key": key.reveal(),
        "webhook_endpoint": str(endpoint),
        "webhook_secret": webhook_signature.shown(secret),
        "webhook_url": url,
    }
    files.write("merchant", shop)
    return shop


def seed_staff(files: SeedFiles) -> list[dict[str, str]]:
    """Make operators with a second factor; those whose log-in is still on file stay."""
    known: list[dict[str, str]] = files.read("staff") or []
    logins = {login["email"]: login for login in known}
    for number, email, full_name, role in STAFF:
        if email not in logins or not Operator.objects.filter(email=email).exists():
            logins[email] = _operator(number, email, full_name, role)
    files.write("staff", list(logins.values()))
    return list(logins.values())


def _device_of(person: DemoCustomer, files: SeedFiles, *, at: dt.datetime) -> Device:
    """Return the device on file if it is still bound, else bind the phone anew."""
    known = files.read(person.name)
    device = customers.device(
        ids.parse_public_id("dev", known["device_id"]) if known is not None else None
    )
    if device is not None and device.state == Device.State.BOUND:
        return device
    facts = DeviceFacts(
        public_key_pem=files.public_key_of(person.name), identifier=secrets.token_hex(8), app=APP
    )
    return enrol_customer(mobile=person.mobile, name=person.full_name, device=facts, at=at)


def _onboard(*, at: dt.datetime) -> Merchant:
    account = open_account(
        number=SHOP_ACCOUNT,
        holder_name=SHOP_NAME,
        mobile="919800000101",
        card=DebitCard(digits="100101", expiry=CARD_EXPIRY),
        account_type="CURRENT",
    )
    return onboard_merchant(
        name=SHOP_NAME,
        address=VpaAddress.parse(SHOP_ADDRESS),
        account=AccountAddress(
            ifsc=account.ifsc,
            account_type=account.account_type,
            account_number=account.number,
        ),
        block=SHOP_BLOCK,
        at=at,
    )


def _operator(number: str, email: str, full_name: str, role: str) -> dict[str, str]:
    password = secrets.token_urlsafe(18)
    operator = Operator.objects.filter(email=email).first()
    if operator is None:
        operator = Operator.objects.create_user(
            email=email, staff_number=number, full_name=full_name
        )
    else:
        # Whoever does so stands behind both officers: for a while neither approves for the other.
        second_factor.forget(operator, actor="seed")
    operator.set_password(password)
    operator.save()
    operator.groups.set(Group.objects.filter(name=role))
    device = _enrol(operator)
    return {
        "email": email,
        "full_name": full_name,
        "role": role,
        "password": password,
        "totp_url": device.config_url,
    }


def _enrol(operator: Operator) -> TOTPDevice:
    waiting = second_factor.begin(operator)
    while True:
        # The code of the step before: the present one stays good for the first log-in. If a step
        # ends in this very moment it is two steps old, and refused.
        step = TOTP(waiting.bin_key).t()
        code = TOTP(waiting.bin_key, drift=-1).token()
        try:
            device, _ = second_factor.confirm(
                operator, code=f"{code:06d}", source_address="127.0.0.1"
            )
        except CodeRefusedError:
            if TOTP(waiting.bin_key).t() == step:
                raise
        else:
            return device
