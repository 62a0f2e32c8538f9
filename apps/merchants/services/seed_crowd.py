"""Make up many customers at once, to put load on the platform."""

import datetime as dt
import secrets
from typing import Any

from django.conf import settings
from django.db import transaction

from apps.accounts.contracts import DebitCard
from apps.accounts.services.open_account import deposit, open_account
from apps.common import ids
from apps.common.addresses import VpaAddress
from apps.common.money import Money
from apps.customers import selectors as customers
from apps.customers.models import Customer
from apps.customers.services.enrol import (
    AccountFacts,
    DeviceFacts,
    Enrolment,
    enrol_crowd,
)
from apps.merchants.seed_files import SeedFiles, new_key
from apps.merchants.services.seed_demo import APP, CARD_EXPIRY
from apps.risk.services.first_day import establish
from apps.vpa.services.register import register_crowd

BATCH = 200
OPENING = Money(100_000_000)
_MOBILE_PREFIX = "9197"


def seed_crowd(count: int, files: SeedFiles, *, at: dt.datetime) -> int:
    """Bring the crowd on file up to `count` customers. Return how many were made."""
    there = Customer.objects.filter(mobile__startswith=_MOBILE_PREFIX).count()
    if there == 0:
        # The file is from a database that is no more.
        files.forget_crowd()
    missing = count - sum(1 for _ in files.crowd())
    first = there + 1
    for start in range(first, first + max(0, missing), BATCH):
        numbers = range(start, min(start + BATCH, first + missing))
        files.add_to_crowd(_seed_batch(numbers, at=at))
    return max(0, missing)


def _seed_batch(numbers: range, *, at: dt.datetime) -> list[dict[str, Any]]:
    keys = {number: new_key() for number in numbers}
    enrolments = [_enrolment(number, public) for number, (_, public) in keys.items()]
    _open_accounts(enrolments)
    accounts = enrol_crowd(enrolments, at=at)
    addresses = [VpaAddress.parse(f"load{number}@{settings.UPI_HANDLES[0]}") for number in numbers]
    register_crowd(list(zip(addresses, accounts, strict=True)), at=at)
    devices = customers.bound_devices([account.customer_id for account in accounts])
    return [
        {
            "name": address.user,
            "customer_id": ids.public_id("cus", account.customer_id),
            "device_id": ids.public_id("dev", devices[account.customer_id]),
            "device_identifier": enrolment.device.identifier,
            "app_id": APP,
            "mobile": enrolment.mobile,
            "address": customers.message_address(enrolment.mobile),
            "account_id": ids.public_id("acc", account.pk),
            "vpa": str(address),
            "card_digits": _card_digits(number),
            "card_expiry": CARD_EXPIRY,
            "private_key_pem": keys[number][0],
        }
        for number, enrolment, account, address in zip(
            numbers, enrolments, accounts, addresses, strict=True
        )
    ]


def _enrolment(number: int, public_key_pem: str) -> Enrolment:
    name = f"LOAD CUSTOMER {number}"
    return Enrolment(
        mobile=f"{_MOBILE_PREFIX}{number:08d}",
        name=name,
        device=DeviceFacts(public_key_pem=public_key_pem, identifier=secrets.token_hex(8), app=APP),
        account=AccountFacts(
            account_number=f"0013{number:08d}",
            ifsc=settings.UPI_IFSC,
            account_type="SAVINGS",
            holder_name=name,
        ),
    )


def _open_accounts(enrolments: list[Enrolment]) -> None:
    """Open the accounts with a deposit each, in one transaction: a commit for all of them."""
    with transaction.atomic(durable=True):
        opened = []
        for each in enrolments:
            number = each.account.account_number
            account = open_account(
                number=number,
                holder_name=each.account.holder_name,
                mobile=each.mobile,
                card=DebitCard(digits=_card_digits(int(number[4:])), expiry=CARD_EXPIRY),
            )
            deposit(number=number, amount=OPENING, reference=f"load-{number}")
            opened.append(account.pk)
        establish(opened)


def _card_digits(number: int) -> str:
    return f"{number % 1_000_000:06d}"
