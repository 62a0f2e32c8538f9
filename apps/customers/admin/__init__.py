"""The back office's pages of customers: to look at, never to edit."""

from apps.customers.admin.account_listing import AccountListingAdmin
from apps.customers.admin.account_request import AccountRequestAdmin
from apps.customers.admin.customer import CustomerAdmin
from apps.customers.admin.device import DeviceAdmin
from apps.customers.admin.device_token import DeviceTokenAdmin
from apps.customers.admin.linked_account import LinkedAccountAdmin

__all__ = [
    "AccountListingAdmin",
    "AccountRequestAdmin",
    "CustomerAdmin",
    "DeviceAdmin",
    "DeviceTokenAdmin",
    "LinkedAccountAdmin",
]
