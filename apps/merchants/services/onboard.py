"""Take a business on as a merchant."""

import datetime as dt

from django.db import transaction

from apps.common.addresses import VpaAddress
from apps.merchants.models import Merchant
from apps.upi.contracts import AccountAddress, MerchantBlock
from apps.vpa.services.register import register_merchant_address


def onboard_merchant(
    *,
    name: str,
    address: VpaAddress,
    account: AccountAddress,
    block: MerchantBlock,
    at: dt.datetime,
) -> Merchant:
    """
    Make a merchant with its payment address; `name` is the one the bank verified.

    Raises HandleNotOursError, AddressTakenError.
    """
    with transaction.atomic(durable=True):
        vpa = register_merchant_address(
            address, account=account, verified_name=name, merchant=block, at=at
        )
        return Merchant.objects.create(name=name, vpa=vpa, created_at=at)
