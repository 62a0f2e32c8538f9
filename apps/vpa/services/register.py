"""Register payment addresses, change what is behind them, give them up."""

import datetime as dt
import re
import uuid
from collections.abc import Sequence

from django.conf import settings
from django.db import IntegrityError, transaction

from apps.common.addresses import VpaAddress
from apps.customers import selectors as customers
from apps.customers.models import LinkedAccount
from apps.upi.contracts import AccountAddress, MerchantBlock
from apps.vpa import resolution_cache, selectors
from apps.vpa.contracts import VpaKind
from apps.vpa.errors import (
    AddressReservedError,
    AddressTakenError,
    HandleNotOursError,
)
from apps.vpa.models import Vpa

PERSON_MCC = "0000"
# Names by which people would take somebody for the bank or its staff.
RESERVED_NAMES = frozenset(
    {
        "abuse",
        "admin",
        "administrator",
        "bank",
        "billing",
        "care",
        "complaint",
        "complaints",
        "customercare",
        "help",
        "helpdesk",
        "info",
        "kyc",
        "noreply",
        "npci",
        "official",
        "postmaster",
        "rbi",
        "refund",
        "refunds",
        "root",
        "security",
        "support",
        "upi",
        "webmaster",
    }
)
# What looks like a phone number belongs to whoever has that number.
_NUMBER = re.compile(r"(?:91)?([0-9]{10})")


def register_address(address: VpaAddress, *, account: LinkedAccount, at: dt.datetime) -> Vpa:
    """
    Give a customer an address for one of their accounts. Their own again: the same row.

    Raises HandleNotOursError, AddressReservedError, AddressTakenError.
    """
    _check_ours(address)
    _check_name(address, mobile=account.customer.mobile)
    with transaction.atomic(durable=True):
        row = selectors.owned_vpa(account.customer_id, str(address))
        if row is not None:
            return row
        return _insert(_person_row(address, account, at=at), at=at)


def register_crowd(choices: Sequence[tuple[VpaAddress, LinkedAccount]], *, at: dt.datetime) -> None:
    """
    Give many new customers an address each, by one statement.

    Raises HandleNotOursError, AddressTakenError; then none has one.
    """
    rows = []
    for address, account in choices:
        _check_ours(address)
        row = _person_row(address, account, at=at)
        row.reserved_address = row.address
        rows.append(row)
    try:
        with transaction.atomic(durable=True):
            Vpa.objects.bulk_create(rows)
    except IntegrityError as error:
        raise AddressTakenError from error


def register_merchant_address(
    address: VpaAddress,
    *,
    account: AccountAddress,
    verified_name: str,
    merchant: MerchantBlock,
    at: dt.datetime,
) -> Vpa:
    """
    Give a merchant its address, in the caller's transaction; onboarding has checked the facts.

    Raises HandleNotOursError, AddressTakenError.
    """
    _check_ours(address)
    row = Vpa(
        address=str(address),
        kind=VpaKind.ENTITY,
        mcc=merchant.sub_code,
        account_number=account.account_number,
        ifsc=account.ifsc,
        account_type=account.account_type,
        verified_name=verified_name,
        created_at=at,
        merchant_id_code=merchant.mid,
        store_id_code=merchant.sid or "",
        terminal_id_code=merchant.tid or "",
        merchant_type=merchant.merchant_type or "",
        merchant_genre=merchant.merchant_genre or "",
        onboarding_type=merchant.on_boarding_type or "",
        brand_name=merchant.brand,
        legal_name=merchant.legal,
        franchise_name=merchant.franchise,
        ownership=merchant.ownership,
    )
    return _insert(row, at=at)


def change_account(
    *, customer_id: uuid.UUID, vpa_id: uuid.UUID | None, account_id: uuid.UUID | None
) -> Vpa:
    """
    Put another account of the customer behind an address.

    Raises NotFoundError when the address or the account is not the customer's.
    """
    account = customers.account_of(customer_id, account_id)
    row = selectors.vpa_of(customer_id, vpa_id)
    resolution_cache.mark_changing(row.address)
    with transaction.atomic(durable=True):
        row = selectors.lock_vpa(row.pk)
        row.account_number = account.account_number
        row.ifsc = account.ifsc
        row.account_type = account.account_type
        row.verified_name = account.holder_name
        row.save(update_fields=["account_number", "ifsc", "account_type", "verified_name"])
    return row


def deactivate(*, customer_id: uuid.UUID, vpa_id: uuid.UUID | None, at: dt.datetime) -> None:
    """
    Give an address up; for months nobody else can have it.

    Raises NotFoundError when it is not the customer's.
    """
    row = selectors.vpa_of(customer_id, vpa_id)
    resolution_cache.mark_changing(row.address)
    with transaction.atomic(durable=True):
        Vpa.objects.filter(pk=row.pk, state=Vpa.State.ACTIVE).update(
            state=Vpa.State.INACTIVE, deactivated_at=at
        )


def _check_ours(address: VpaAddress) -> None:
    if address.handle not in settings.UPI_HANDLES:
        raise HandleNotOursError


def _check_name(address: VpaAddress, *, mobile: str) -> None:
    number = _NUMBER.fullmatch(address.user)
    if number is not None and not mobile.endswith(number[1]):
        raise AddressReservedError
    if re.sub(r"[.\-_]", "", address.user) in RESERVED_NAMES:
        raise AddressReservedError


def _person_row(address: VpaAddress, account: LinkedAccount, *, at: dt.datetime) -> Vpa:
    return Vpa(
        address=str(address),
        customer_id=account.customer_id,
        kind=VpaKind.PERSON,
        mcc=PERSON_MCC,
        account_number=account.account_number,
        ifsc=account.ifsc,
        account_type=account.account_type,
        verified_name=account.holder_name,
        created_at=at,
    )


def _insert(row: Vpa, *, at: dt.datetime) -> Vpa:
    """Insert a row if its address is free; two who want it at once are parted by the key."""
    free_since = at - dt.timedelta(days=settings.VPA_REUSE_AFTER_DAYS)
    Vpa.objects.filter(
        reserved_address=row.address, state=Vpa.State.INACTIVE, deactivated_at__lt=free_since
    ).update(reserved_address=None)
    row.reserved_address = row.address
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise AddressTakenError from error
    return row
