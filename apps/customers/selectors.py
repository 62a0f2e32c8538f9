"""Reads and named locks of the customer side."""

import datetime as dt
import uuid
from collections.abc import Sequence

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from apps.common import ids
from apps.common.errors import NotFoundError
from apps.customers.contracts import Payer, SessionOwner
from apps.customers.errors import DeviceNotBoundError
from apps.customers.models import (
    AccountListing,
    AccountRequest,
    Customer,
    Device,
    DeviceToken,
    FoundAccount,
    LinkedAccount,
)
from apps.customers.states import RequestKind, RequestState
from apps.upi.contracts import AccountAddress
from apps.upi.contracts import Device as WireDevice

log = structlog.get_logger(__name__)

# Every request of an app asks this, and every payment the next one.
_SESSION_OWNER = """
    SELECT device.customer_id, customer.state = 'ACTIVE', device.state = 'BOUND',
           device.session_number
      FROM customers_device AS device
      JOIN customers_customer AS customer ON customer.id = device.customer_id
     WHERE device.id = %s
"""

_PAYER = """
    SELECT customer.name, customer.mobile, account.ifsc, account.account_type,
           account.account_number, device.geocode, device.location, host(device.ip),
           device.identifier, device.os, device.app, device.capability
      FROM customers_linkedaccount AS account
      JOIN customers_customer AS customer ON customer.id = account.customer_id
      JOIN customers_device AS device ON device.customer_id = account.customer_id
     WHERE account.id = %s AND account.customer_id = %s
       AND device.id = %s AND device.state = 'BOUND'
"""


def message_address(mobile: str) -> str:
    """
    Return the payer address of messages that move no money, such as 9800000001@exbank.

    A customer has it before any payment address of their own: the PIN comes first.
    """
    return f"{mobile[2:]}@{settings.UPI_HANDLES[0]}"


def customer(customer_id: uuid.UUID) -> Customer:
    """Return a customer; there is one, for somebody logged in as them."""
    return Customer.objects.get(pk=customer_id)


def customer_by_mobile(mobile: str) -> Customer | None:
    """Return the active customer with this mobile number."""
    return Customer.objects.filter(mobile=mobile, state=Customer.State.ACTIVE).first()


def device(device_id: uuid.UUID | None) -> Device | None:
    """Return a device, bound or not, with its customer."""
    if device_id is None:
        return None
    return Device.objects.select_related("customer").filter(pk=device_id).first()


def lock_customer(customer_id: uuid.UUID) -> Customer:
    """Return the customer, the row locked until the transaction ends."""
    return Customer.objects.select_for_update(no_key=True).get(pk=customer_id)


def accounts_of(customer_id: uuid.UUID) -> QuerySet[LinkedAccount]:
    """Return the accounts that the customer linked, the default one first."""
    return LinkedAccount.objects.filter(customer_id=customer_id).order_by("-is_default", "id")


def account_of(customer_id: uuid.UUID, account_id: uuid.UUID | None) -> LinkedAccount:
    """Return one of the customer's accounts. Raises NotFoundError, also for another's account."""
    if account_id is None:
        raise NotFoundError
    account = LinkedAccount.objects.filter(pk=account_id, customer_id=customer_id).first()
    if account is None:
        # Asked in every such case, so that the time of the refusal tells nothing either.
        if LinkedAccount.objects.filter(pk=account_id).exists():
            log.warning("foreign_account_asked", customer=ids.public_id("cus", customer_id))
        raise NotFoundError
    return account


def session_owner(device_id: uuid.UUID) -> SessionOwner | None:
    """Return whose a device is, and whether it may act; None for a device that nobody has."""
    with connection.cursor() as cursor:
        cursor.execute(_SESSION_OWNER, [device_id])
        row = cursor.fetchone()
    return SessionOwner(*row) if row else None


def payer(*, customer_id: uuid.UUID, device_id: uuid.UUID, account_id: uuid.UUID | None) -> Payer:
    """
    Return what the wire is told of a customer who pays from one of their accounts.

    Raises NotFoundError for an account of somebody else, DeviceNotBoundError.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PAYER, [account_id, customer_id, device_id])
        row = cursor.fetchone()
    if row is None:
        account_of(customer_id, account_id)
        raise DeviceNotBoundError
    name, mobile, ifsc, account_type, account_number, *phone = row
    geocode, location, ip, identifier, os, app, capability = phone
    assert account_id is not None, "no row has no id"
    return Payer(
        customer_id=customer_id,
        account_id=account_id,
        name=name,
        mobile=mobile,
        account=AccountAddress(ifsc=ifsc, account_type=account_type, account_number=account_number),
        device=WireDevice(
            mobile=mobile,
            geocode=geocode,
            location=location,
            ip=ip,
            type="MOB",
            id=identifier,
            os=os,
            app=app,
            capability=capability,
        ),
    )


def payer_of(account: LinkedAccount, bound: Device) -> Payer:
    """Put together what the wire is told of an account's owner and their device."""
    return Payer(
        customer_id=account.customer_id,
        account_id=account.pk,
        name=bound.customer.name,
        mobile=bound.customer.mobile,
        account=AccountAddress(
            ifsc=account.ifsc,
            account_type=account.account_type,
            account_number=account.account_number,
        ),
        device=wire_device(bound),
    )


def wire_device(bound: Device) -> WireDevice:
    """Return what the wire is told of a customer's phone."""
    return WireDevice(
        mobile=bound.customer.mobile,
        geocode=bound.geocode,
        location=bound.location,
        ip=bound.ip,
        type="MOB",
        id=bound.identifier,
        os=bound.os,
        app=bound.app,
        capability=bound.capability,
    )


def request_of(
    customer_id: uuid.UUID, request_id: uuid.UUID | None, *, kinds: Sequence[RequestKind]
) -> AccountRequest:
    """Return a request that the customer made. Raises NotFoundError, also for another's request."""
    if request_id is None:
        raise NotFoundError
    request = AccountRequest.objects.filter(
        pk=request_id, customer_id=customer_id, kind__in=kinds
    ).first()
    if request is None:
        raise NotFoundError
    return request


def request_by_transaction(transaction_id: str) -> AccountRequest | None:
    """Return the request that a transaction id stands for."""
    return AccountRequest.objects.filter(transaction_id=transaction_id).first()


def lock_request_by_exchange(exchange_id: uuid.UUID) -> AccountRequest | None:
    """Return the request that sent an exchange, the row locked until the transaction ends."""
    return (
        AccountRequest.objects.select_for_update(no_key=True)
        .filter(exchange_id=exchange_id)
        .first()
    )


def balance_enquiries(
    customer_id: uuid.UUID, *, since: dt.datetime, limit: int
) -> Sequence[dt.datetime]:
    """Return when the customer asked for a balance after an instant, newest first."""
    instants = AccountRequest.objects.filter(
        customer_id=customer_id, kind=RequestKind.BALANCE, created_at__gt=since
    ).order_by("-created_at")
    return list(instants.values_list("created_at", flat=True)[:limit])


def requests_are_due() -> bool:
    """Return whether any request waits to be sent, or has waited too long for its answer."""
    return AccountRequest.objects.filter(next_action_at__lte=Now(), parked_at__isnull=True).exists()


def claimed_requests(request_ids: Sequence[uuid.UUID]) -> list[AccountRequest]:
    """Return claimed requests with all that their messages need."""
    return list(
        AccountRequest.objects.select_related("account", "device__customer")
        .filter(pk__in=request_ids)
        .order_by("id")
    )


def listing_of(customer_id: uuid.UUID, listing_id: uuid.UUID | None) -> AccountListing:
    """Return a listing that the customer asked for. Raises NotFoundError, also for another's."""
    if listing_id is None:
        raise NotFoundError
    row = AccountListing.objects.filter(pk=listing_id, customer_id=customer_id).first()
    if row is None:
        raise NotFoundError
    return row


def open_listing(customer_id: uuid.UUID, ifsc: str) -> AccountListing | None:
    """Return the customer's listing at a bank that is under way."""
    under_way = [RequestState.CREATED, RequestState.SENDING]
    rows = AccountListing.objects.filter(customer_id=customer_id, ifsc=ifsc, state__in=under_way)
    return rows.first()


def found_accounts(listing: AccountListing) -> list[FoundAccount]:
    """Return what the bank found, in its order."""
    return list(FoundAccount.objects.filter(listing=listing).order_by("place"))


def claimed_listings(row_ids: Sequence[uuid.UUID]) -> list[AccountListing]:
    """Return claimed listings with all that their messages need."""
    rows = AccountListing.objects.select_related("device__customer")
    return list(rows.filter(pk__in=row_ids).order_by("pk"))


def lock_listing_by_exchange(exchange_id: uuid.UUID) -> AccountListing | None:
    """Return the listing that sent an exchange, the row locked until the transaction ends."""
    rows = AccountListing.objects.select_for_update(no_key=True)
    return rows.filter(exchange_id=exchange_id).first()


def listings_are_due() -> bool:
    """Return whether a listing waits to be sent, or too long for its answer."""
    return AccountListing.objects.filter(next_action_at__lte=Now(), parked_at__isnull=True).exists()


def token_of(device_id: uuid.UUID, token_id: uuid.UUID | None) -> DeviceToken:
    """Return a registration of the phone's library. Raises NotFoundError, also for another's."""
    if token_id is None:
        raise NotFoundError
    row = DeviceToken.objects.filter(pk=token_id, device_id=device_id).first()
    if row is None:
        raise NotFoundError
    return row


def tokens_since(device_id: uuid.UUID, *, since: dt.datetime, limit: int) -> Sequence[dt.datetime]:
    """Return when the phone asked for tokens after an instant, newest first."""
    rows = DeviceToken.objects.filter(device_id=device_id, created_at__gt=since)
    return list(rows.order_by("-created_at").values_list("created_at", flat=True)[:limit])


def claimed_tokens(row_ids: Sequence[uuid.UUID]) -> list[DeviceToken]:
    """Return claimed registrations with all that their messages need."""
    rows = DeviceToken.objects.select_related("device__customer")
    return list(rows.filter(pk__in=row_ids).order_by("pk"))


def lock_token_by_exchange(exchange_id: uuid.UUID) -> DeviceToken | None:
    """Return the registration that sent an exchange, the row locked until the transaction ends."""
    rows = DeviceToken.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("device__customer").filter(exchange_id=exchange_id).first()


def tokens_are_due() -> bool:
    """Return whether a registration waits to be sent, or too long for its answer."""
    return DeviceToken.objects.filter(next_action_at__lte=Now(), parked_at__isnull=True).exists()


def bound_devices(customer_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """Return the bound device of each customer, by customer."""
    rows = Device.objects.filter(customer_id__in=customer_ids, state=Device.State.BOUND)
    return dict(rows.values_list("customer_id", "id"))
